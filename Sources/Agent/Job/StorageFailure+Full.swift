import FoundationEssentials
import Shared

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension StorageFailure {
  /// The full disk behind an error, however the part that met it says so: Foundation in a code, a tool in its last words.
  /// Any other failure of the journal itself is one too; `nil` for everything else.
  init?(full error: any Error, at path: String) {
    if let failure = error as? StorageFailure {
      self = failure
    } else if let error = error as? CocoaError, error.code == .fileWriteOutOfSpace {
      self.init(path: error.filePath ?? path, code: ENOSPC)
    } else if let problem = (error as? any UserFacingError)?.problem,
      (problem.why ?? "").contains(String(cString: strerror(ENOSPC))) || problem.what.contains("the disk of the far end")
    {
      self.init(path: path, code: ENOSPC)
    } else {
      return nil
    }
  }
}
