import FoundationEssentials
import Glibc
import Shared

extension StorageFailure {
  /// The full disk behind an error, however the part that met it says so: Foundation in a code, a tool in its output.
  /// Any other failure of the journal itself is one too; `nil` for everything else.
  init?(full error: any Error, at path: String) {
    if let failure = error as? StorageFailure {
      self = failure
    } else if let failure = StorageFailure(refused: error, at: path), failure.isFull {
      self = failure
    } else if let words = (error as? any UserFacingError)?.problem.why,
      words.contains(String(cString: strerror(ENOSPC)))
    {
      self.init(path: path, code: ENOSPC)
    } else {
      return nil
    }
  }

  /// What is free for us on the disk of a path; a great deal where that can't be told.
  static func freeBytes(_ path: String) -> Int {
    var space = statvfs()
    guard statvfs(path, &space) == 0 else { return .max }
    return Int(space.f_bavail) * Int(space.f_frsize)
  }

  /// A disk with less than 1 MiB left, where somebody ended without a word: what can't write has no last words.
  static func silent(at path: String) -> StorageFailure? {
    freeBytes(path) < 1 << 20 ? StorageFailure(path: path, code: ENOSPC) : nil
  }

  /// What Foundation says of a file that the system refused; `nil` for other errors.
  init?(refused error: any Error, at path: String) {
    guard let error = error as? CocoaError, let code = SystemErrorText.systemCode(of: error) else { return nil }
    self.init(path: error.filePath ?? path, code: code)
  }
}

extension Problem {
  /// Any error of the agent's work.
  /// - Parameter path: on what disk the agent keeps its things.
  init(_ error: any Error, at path: String) {
    if let full = StorageFailure(full: error, at: path) {
      self = full.problem
    } else if let error = error as? any UserFacingError {
      self = error.problem
    } else {
      self.init(
        what: "the benchmark host's system refused something", why: SystemErrorText.describe(error),
        fix: "check disk space and permissions of ~/.cf-bench on the benchmark host", exitStatus: .infrastructure)
    }
  }
}
