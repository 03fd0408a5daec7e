/// A requirement as it stands on a command line or in a settings file: `codeflash==0.20.5`, `pytest<9.2`.
struct Requirement: Equatable {
  /// In the package index's normal form: no spaces, the name in lower case with `-` between its words.
  let text: String
  let name: String

  /// Only a name, extras and versions: nothing that a requirements file could read as an option, an address or a path.
  init(_ written: String) throws(SideProblem) {
    let compact = written.filter { $0 != " " }
    let name = compact.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    let rest = compact.dropFirst(name.count)
    let allowed = rest.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "[],.<>=!~*+-_".contains($0)) }
    guard let first = name.first, first.isLetter || first.isNumber, allowed,
      rest.first.map({ "[<>=!~".contains($0) }) ?? true
    else { throw .invalidRequirement(written) }
    self.name = Self.normalised(name)
    self.text = self.name + rest
  }

  /// Names one release for good, so that what it resolved to can be kept.
  var isExact: Bool { text.contains("==") && !text.contains("*") && !text.contains(",") }

  /// The name as PEP 503 normalises it.
  static func normalised(_ name: some StringProtocol) -> String {
    name.lowercased().split { "-_.".contains($0) }.joined(separator: "-")
  }
}
