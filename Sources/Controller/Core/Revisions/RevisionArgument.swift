import Shared

/// A REV as a person types it.
enum RevisionArgument: Equatable, Sendable {
  /// `codeflash==0.20.5`
  case release(requirement: String)
  /// `path:DIR`
  case folder(path: String)
  /// Anything else: a branch, a tag, a commit.
  case gitRef(String)

  /// - Throws: ``RevisionError`` for what can be none of the three.
  init(_ text: String) throws(RevisionError) {
    guard !text.isEmpty, text.utf8.count <= 1024 else {
      throw .unusable(text: text, reason: "it is empty or very long")
    }
    guard TerminalText.isHarmless(text), !text.unicodeScalars.contains(where: \.properties.isWhitespace) else {
      throw .unusable(text: text, reason: "it holds a space, a control character or an invisible one")
    }
    guard !text.hasPrefix("-") else { throw .unusable(text: text, reason: "it starts with a dash") }
    if text.hasPrefix("path:") {
      let path = String(text.dropFirst(5))
      guard !path.isEmpty else { throw .unusable(text: text, reason: "no folder follows 'path:'") }
      self = .folder(path: path)
    } else if text.contains("==") {
      try Self.checkRelease(text)
      self = .release(requirement: text)
    } else {
      self = .gitRef(text)
    }
  }

  /// `NAME==VERSION` with the characters that PEP 508 and PEP 440 allow; extras may follow the name.
  private static func checkRelease(_ text: String) throws(RevisionError) {
    let pattern = /[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]+\])?==[A-Za-z0-9][A-Za-z0-9._+!-]*/
    // The pattern can fail in no other way than not to match, which is nil anyway.
    guard (try? pattern.wholeMatch(in: text)) != nil else {
      throw .unusable(text: text, reason: "a release is written NAME==VERSION, such as codeflash==0.20.6")
    }
  }
}

/// A revision, and what people call it: a commit is measured under its branch's name.
struct NamedRevision: Equatable, Sendable {
  /// As ``RevisionArgument`` takes it.
  var text: String
  var label: String

  init(_ text: String, label: String? = nil) {
    self.text = text
    self.label = label ?? text
  }
}

enum RevisionError: UserFacingError, Equatable {
  case unusable(text: String, reason: String)
  case noSuchFolder(path: String)
  case notAProject(path: String)
  case noSuchRef(ref: String, repository: String)
  case tool(name: String, words: String)

  var what: String {
    switch self {
    case .unusable(let text, _):
      "'\(text.unicodeScalars.filter { $0.value > 0x1f }.prefix(80).reduce(into: "") { $0.unicodeScalars.append($1) })' is no revision"
    case .noSuchFolder(let path): "there is no folder '\(path)'"
    case .notAProject(let path): "the folder '\(path)' can't be installed as a Python project"
    case .noSuchRef(let ref, let repository): "there is no revision '\(ref)' in \(repository)"
    case .tool(let name, _): "\(name) failed on this machine"
    }
  }
  var why: String? {
    switch self {
    case .unusable(_, let reason): reason
    case .noSuchFolder: nil
    case .notAProject: "it holds neither a pyproject.toml nor a setup.py"
    case .noSuchRef: "git found neither a branch, a tag nor a commit of that name"
    case .tool(_, let words): words
    }
  }
  var fix: String {
    switch self {
    case .unusable, .notAProject:
      "name a git ref (main), a release (codeflash==0.20.6) or a folder with a Python project (path:../codeflash)"
    case .noSuchFolder: "check the path after 'path:'; it is taken from the current folder"
    case .noSuchRef: "run 'git fetch' there, or name a release such as codeflash==0.20.6"
    case .tool(let name, _): "run '\(name) --version'; install it if that fails"
    }
  }
  var exitStatus: ExitStatus { .usage }
}
