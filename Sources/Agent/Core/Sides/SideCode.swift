import FoundationEssentials
import Shared

/// A side's code, found and at hand: resolved once a job, whatever the number of interpreters.
struct SideCode: Equatable {
  enum Form: Equatable {
    case release(Requirement)
    /// A folder on the benchmark host, installed in editable mode.
    case folder(String)
  }
  var plan: SidePlan
  var form: Form
  var commit: String?
  /// The code's own name: a commit, or a digest of the folder. `nil` for a release until its version is resolved.
  var identity: String?
  /// A folder without git history: a build that asks git for its version gets a fixed one instead.
  var lacksHistory = false
  /// The first line of the commit's message.
  var subject: String?
  /// What else a reader should know of the revision.
  var note: String?

  /// What a requirements file says of it.
  var requirementLine: String {
    switch form {
    case .release(let requirement): requirement.text
    case .folder(let path): "-e \(Self.fileURL(path))"
    }
  }

  var folder: String? {
    guard case .folder(let path) = form else { return nil }
    return path
  }

  /// Settings of the common build backends that take the version from git.
  var buildEnvironment: [String: String] {
    guard lacksHistory else { return [:] }
    return [
      "UV_DYNAMIC_VERSIONING_BYPASS": "0.0.0", "SETUPTOOLS_SCM_PRETEND_VERSION": "0.0.0",
      "POETRY_DYNAMIC_VERSIONING_BYPASS": "0.0.0", "PDM_BUILD_SCM_VERSION": "0.0.0",
    ]
  }

  private static func fileURL(_ path: String) -> String {
    "file://"
      + path.utf8.map { byte in
        let plain = byte > 0x20 && byte < 0x7f && !"%#?\"<>\\^`{|}".utf8.contains(byte)
        let digits = String(byte, radix: 16, uppercase: true)
        return plain ? String(UnicodeScalar(byte)) : "%" + (digits.count == 1 ? "0" : "") + digits
      }.joined()
  }
}

/// Brings a side's code to the benchmark host's disk.
struct CodeFetcher {
  let home: AgentHome
  let tools: SetupTools
  private var checkouts: Checkouts { Checkouts(home: home, tools: tools) }

  func fetch(_ plan: SidePlan) throws -> SideCode {
    switch plan.source {
    case .release(let requirement):
      return SideCode(plan: plan, form: .release(try Requirement(requirement)))
    case .git(let address, let ref):
      let repository = try GitRepository.clone(of: address, home: home, tools: tools)
      let found = try repository.find(ref, in: address)
      var code = try checkedOut(found.commit, of: repository, for: plan)
      (code.subject, code.note) = (try repository.subject(of: found.commit), found.note ?? plan.note)
      return code
    case .bundle(let upload, let commit):
      let repository = try GitRepository.ofBundles(home: home, tools: tools)
      let file = try checkouts.uploaded(upload)
      var code = try checkedOut(
        try repository.take(bundle: file, upload: upload, commit: commit), of: repository, for: plan)
      (code.subject, code.note) = (plan.subject, plan.note)
      return code
    case .tree(let upload):
      return try unpacked(upload, for: plan)
    }
  }

  private func checkedOut(_ commit: String, of repository: GitRepository, for plan: SidePlan) throws -> SideCode {
    let folder = try checkouts.placed(name: commit) { try repository.checkOut(commit, to: $0) }
    try check(folder, of: plan)
    return SideCode(plan: plan, form: .folder(folder), commit: commit, identity: commit)
  }

  private func unpacked(_ upload: UploadID, for plan: SidePlan) throws -> SideCode {
    let folder = try checkouts.unpacked(upload)
    try check(folder, of: plan)
    return SideCode(
      plan: plan, form: .folder(folder), identity: "tree:\(upload.sha256)",
      lacksHistory: !FileManager.default.fileExists(atPath: folder + "/.git"))
  }

  private func check(_ folder: String, of plan: SidePlan) throws {
    let isPackage = ["pyproject.toml", "setup.py"].contains {
      FileManager.default.fileExists(atPath: "\(folder)/\($0)")
    }
    guard isPackage else { throw SideProblem.notAPackage(label: plan.label) }
  }
}

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
