import SystemPackage
import Yams

/// What a name may look like that ends up on a command line, in a program or in a requirements file of another machine.
/// Each is a list of what is allowed, so that nothing has to be thought of that is not.
enum NameRule: Sendable {
  /// A distribution: PEP 508's name.
  case distribution
  /// A module: identifiers with dots between them.
  case module
  /// A Python version as uv understands it, or the absolute path of an interpreter.
  case python
  /// A thing in Azure. az takes a leading `-` for an option, and reads a file where a value begins with `@`.
  case azure
  /// A subscription's name or id, which may hold blanks.
  case subscription
  /// A login.
  case login
  /// The address of a page.
  case page

  var expectation: String {
    switch self {
    case .distribution: "the name of a Python distribution, such as codeflash"
    case .module: "the name of a Python module, such as codeflash.cli"
    case .python: "a Python version such as 3.12, or the absolute path of an interpreter"
    case .azure: "a name of letters, digits, '-', '_', '.', ':' and brackets that begins with a letter or digit"
    case .subscription: "the name or id of a subscription"
    case .login: "a login's name"
    case .page: "an address that begins with https:// or http://"
    }
  }

  func allows(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, text.utf8.count <= 256 else { return false }
    let rest = text.unicodeScalars
    switch self {
    case .distribution: return isPlain(first) && rest.allSatisfy { isPlain($0) || "-_.".unicodeScalars.contains($0) }
    case .module:
      return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
        guard let first = part.unicodeScalars.first else { return false }
        return (first == "_" || first.properties.isXIDStart)
          && part.unicodeScalars.allSatisfy { $0 == "_" || $0.properties.isXIDContinue }
      }
    case .python:
      if first == "/" { return TerminalText.isHarmless(text) }
      return isPlain(first) && rest.contains { (0x30...0x39).contains($0.value) }
        && rest.allSatisfy { isPlain($0) || ".-+_@<>=~!,*".unicodeScalars.contains($0) }
    case .azure: return isPlain(first) && rest.allSatisfy { isPlain($0) || "-_.:()".unicodeScalars.contains($0) }
    case .subscription:
      return (isPlain(first) || first.properties.isAlphabetic) && TerminalText.isHarmless(text)
    case .login:
      return (first == "_" || (first.isASCII && first.properties.isAlphabetic))
        && rest.allSatisfy { isPlain($0) || "-_.".unicodeScalars.contains($0) }
    case .page:
      return ["https://", "http://"].contains { text.hasPrefix($0) }
        && rest.allSatisfy { (0x21...0x7e).contains($0.value) }
    }
  }

  func check(_ text: String, in context: ReadingContext, at mark: Mark?) throws(SettingsError) {
    guard !allows(text) else { return }
    throw context.wrong(found: "'\(TerminalText.clean(text, limit: 80))'", expected: expectation, at: mark)
  }

  private func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9": true
    default: false
    }
  }
}
