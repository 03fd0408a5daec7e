import Shared

/// What can be wrong with a side before anything is measured.
enum SideProblem: UserFacingError, Equatable {
  case toolMissing(String, fix: String)
  case invalidRequirement(String)
  case invalidPath(String)
  case releaseNotFound(requirement: String, outputTail: String)
  case refNotFound(ref: String, repository: String)
  case invalidRef(String)
  case ambiguousRef(String, branch: String, tag: String, repository: String)
  case noMergeBase(String, repository: String)
  case submodules(commit: String, outputTail: String)
  case repositoryNotReached(repository: String, outputTail: String)
  case uploadMissing(UploadID)
  case uploadDamaged(UploadID, outputTail: String)
  case commitNotInBundle(String)
  case notAPackage(label: String)
  case dependenciesNotResolved(label: String, outputTail: String)
  case notInstalled(label: String, outputTail: String)
  case noNetwork(doing: String, outputTail: String)
  case pythonNotFound(String, outputTail: String)
  case stepFailed(doing: String, outputTail: String)
  case stepTooLong(doing: String, seconds: Double)

  var what: String {
    switch self {
    case .toolMissing(let tool, _): "\(tool) is missing on the benchmark host"
    case .invalidRequirement(let text): "'\(text)' is not a requirement"
    case .invalidPath(let path): "'\(path)' can't be used as a path"
    case .releaseNotFound(let requirement, _): "there is no release \(requirement)"
    case .refNotFound(let ref, let repository): "there is no revision '\(ref)' in \(repository)"
    case .invalidRef(let ref): "'\(ref)' can't be the name of a revision"
    case .ambiguousRef(let ref, _, _, let repository):
      "'\(ref)' is a branch and a tag of \(repository), and they are different commits"
    case .noMergeBase(let ref, let repository): "\(ref) have no commit in common in \(repository)"
    case .submodules(let commit, _): "the submodules of \(commit.prefix(12)) can't be fetched"
    case .repositoryNotReached(let repository, _): "the repository \(repository) can't be fetched"
    case .uploadMissing(let upload): "the uploaded file \(upload.sha256.prefix(12))… is not on the benchmark host"
    case .uploadDamaged(let upload, _): "the uploaded file \(upload.sha256.prefix(12))… can't be unpacked"
    case .commitNotInBundle(let commit): "the commit \(commit.prefix(12)) is not in the bundle that was uploaded"
    case .notAPackage(let label): "\(label) is not a Python package: it has neither pyproject.toml nor setup.py"
    case .dependenciesNotResolved(let label, _): "the dependencies of \(label) can't be resolved"
    case .notInstalled(let label, _): "\(label) does not install"
    case .noNetwork(let doing, _): "the benchmark host has no network for \(doing)"
    case .pythonNotFound(let version, _): "Python \(version) can't be had on the benchmark host"
    case .stepFailed(let doing, _): "\(doing) failed"
    case .stepTooLong(let doing, let seconds): "\(doing) took longer than \(Int(seconds)) s"
    }
  }

  var why: String? {
    switch self {
    case .releaseNotFound(_, let words), .repositoryNotReached(_, let words), .uploadDamaged(_, let words),
      .dependenciesNotResolved(_, let words), .notInstalled(_, let words), .noNetwork(_, let words),
      .pythonNotFound(_, let words), .stepFailed(_, let words):
      words.isEmpty ? nil : words
    case .submodules(_, let words): words
    case .ambiguousRef(_, let branch, let tag, _): "the branch is \(branch.prefix(12)), the tag \(tag.prefix(12))"
    case .noMergeBase: "their histories are apart"
    case .refNotFound: "looked among its branches, its tags, origin/ branches, commits and pull requests"
    case .invalidRequirement: "it must read like 'codeflash==0.20.5': a name, and versions if any"
    case .invalidPath, .invalidRef: "it starts with '-', holds a space or a control character, or is empty"
    case .uploadMissing: "it was removed, or the upload was cut short"
    case .stepTooLong: "the limit of one setup step was reached"
    case .toolMissing, .commitNotInBundle, .notAPackage: nil
    }
  }

  var fix: String {
    switch self {
    case .toolMissing(_, let fix): fix
    case .invalidRequirement, .invalidPath, .invalidRef: "correct it on the command line or in cf-bench.yaml"
    case .releaseNotFound(let requirement, _):
      "see the versions there are: uv pip install --dry-run '\(Self.bareName(of: requirement))==0' names them"
    case .refNotFound(let ref, let repository):
      "check the spelling, push it if it is only local, and see: git ls-remote \(repository) '*\(ref)*'"
    case .ambiguousRef(let ref, _, _, _): "say which: heads/\(ref) or tags/\(ref)"
    case .noMergeBase: "name the commit to compare with"
    case .submodules: "let the benchmark host read them without a password, or measure a folder that has them (path:.)"
    case .repositoryNotReached(let repository, _):
      "check the address, and that the benchmark host may read it without a password: git ls-remote \(repository)"
    case .uploadMissing, .uploadDamaged, .commitNotInBundle: "run the same command again: it uploads the file anew"
    case .notAPackage: "name the folder that holds the package's pyproject.toml"
    case .dependenciesNotResolved:
      "relax the requirement that is named, or choose another Python with --python"
    case .notInstalled(let label, _): "make 'uv pip install' of \(label) work on its own first, then try again"
    case .noNetwork:
      "check the benchmark host's network, DNS, proxy and certificates (SSL_CERT_FILE); what was prepared before works without"
    case .pythonNotFound(let version, _):
      "on the benchmark host: uv python install \(version); or choose an installed one with --python"
    case .stepFailed: "read the words above; they are the tool's own"
    case .stepTooLong: "raise the limit of a setup step, or look what holds it up on the benchmark host"
    }
  }

  var exitStatus: ExitStatus {
    switch self {
    case .invalidRequirement, .invalidPath, .invalidRef, .releaseNotFound, .refNotFound, .notAPackage, .ambiguousRef,
      .noMergeBase:
      .usage
    case .dependenciesNotResolved, .notInstalled: .partial
    default: .infrastructure
    }
  }

  private static func bareName(of requirement: String) -> String {
    String(requirement.prefix { $0.isLetter || $0.isNumber || "-_.".contains($0) })
  }
}
