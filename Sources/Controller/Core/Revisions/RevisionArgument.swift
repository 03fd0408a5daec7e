import Shared

/// A REV as a person types it.
enum RevisionArgument: Equatable, Sendable {
  /// `codeflash==0.20.5`
  case release(requirement: String)
  /// `path:DIR`
  case folder(path: String)
  /// `main...perf/x`: what both have in common.
  case mergeBase(MergeBase)
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
    } else if let bases = MergeBase(text) {
      self = .mergeBase(bases)
    } else if text.contains("..") {
      throw .unusable(
        text: text, reason: "two dots stand between two revisions, and three for what they have in common")
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
  /// What else a reader should know of it.
  var note: String?

  init(_ text: String, label: String? = nil, note: String? = nil) {
    self.text = text
    self.label = label ?? text
    self.note = note
  }
}

/// Both sides of a comparison as a person types them: `main perf/x`, the same as `main..perf/x`; or `main...perf/x`.
struct RevisionRange: Equatable, Sendable {
  var base: NamedRevision
  var head: NamedRevision

  /// - Throws: ``Problem`` when only one revision is named.
  init(_ first: String, _ second: String?) throws(Problem) {
    if let second {
      (base, head) = (NamedRevision(first), NamedRevision(second))
    } else if !first.hasPrefix("path:"), let bases = MergeBase(first) {
      (base, head) = (NamedRevision(first, label: bases.base), NamedRevision(bases.head))
    } else {
      let parts = first.hasPrefix("path:") ? [] : first.split(separator: "..", omittingEmptySubsequences: false)
      guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") }) else {
        throw Problem(
          what: "there is no revision to compare '\(TerminalText.clean(first, limit: 100))' with",
          fix: "name two (cf-bench compare main perf/x), or both in one (main...perf/x)", exitStatus: .usage)
      }
      (base, head) = (NamedRevision(String(parts[0])), NamedRevision(String(parts[1])))
    }
  }
}

enum RevisionError: UserFacingError, Equatable {
  case unusable(text: String, reason: String)
  case noSuchFolder(path: String)
  case notAProject(path: String)
  case noSuchRef(ref: String, repository: String)
  case ambiguous(ref: String, branch: String, tag: String, place: String)
  case noMergeBase(base: String, head: String, repository: String, words: String)
  case submodules(label: String, names: [String])
  case missingSubmodule(path: String, name: String)
  case tool(name: String, words: String)

  var what: String {
    switch self {
    case .unusable(let text, _):
      "'\(text.unicodeScalars.filter { $0.value > 0x1f }.prefix(80).reduce(into: "") { $0.unicodeScalars.append($1) })' is no revision"
    case .noSuchFolder(let path): "there is no folder '\(path)'"
    case .notAProject(let path): "the folder '\(path)' can't be installed as a Python project"
    case .noSuchRef(let ref, let repository): "there is no revision '\(ref)' in \(repository)"
    case .ambiguous(let ref, _, _, let place):
      "'\(ref)' is a branch and a tag of \(place), and they are different commits"
    case .noMergeBase(let base, let head, let repository, _):
      "\(base) and \(head) have no commit in common in \(repository)"
    case .submodules(let label, let names):
      "\(label) has \(names.count == 1 ? "a submodule" : "submodules"): \(listed(names))"
    case .missingSubmodule(let path, let name): "the submodule '\(name)' of \(path) is not checked out"
    case .tool(let name, _): "\(name) failed on this machine"
    }
  }
  var why: String? {
    switch self {
    case .unusable(_, let reason): reason
    case .noSuchFolder: nil
    case .notAProject: "it holds neither a pyproject.toml nor a setup.py"
    case .noSuchRef: "git found neither a branch, a tag nor a commit of that name"
    case .ambiguous(_, let branch, let tag, _): "the branch is \(branch.prefix(12)), the tag \(tag.prefix(12))"
    case .noMergeBase(_, _, _, let words):
      words.isEmpty ? "their histories are apart, or cut off by a shallow clone" : words
    case .submodules: "a commit is sent without other repositories, and would be measured with empty folders"
    case .missingSubmodule: "the folder would be measured without it"
    case .tool(_, let words): words
    }
  }
  var fix: String {
    switch self {
    case .unusable, .notAProject:
      "name a git ref (main), a release (codeflash==0.20.6) or a folder with a Python project (path:../codeflash)"
    case .noSuchFolder: "check the path after 'path:'; it is taken from the current folder"
    case .noSuchRef: "run 'git fetch' there, or name a release such as codeflash==0.20.6"
    case .ambiguous(let ref, _, _, _): "say which: heads/\(ref) or tags/\(ref)"
    case .noMergeBase: "run 'git fetch --unshallow' there, or name the commit to compare with"
    case .submodules:
      "measure the folder, which is sent with them (path:.), or the repository by its address (--repository https://…)"
    case .missingSubmodule: "run 'git submodule update --init' there"
    case .tool(let name, _): "run '\(name) --version'; install it if that fails"
    }
  }
  var exitStatus: ExitStatus { .usage }
}
