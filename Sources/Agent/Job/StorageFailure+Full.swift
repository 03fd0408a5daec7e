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
    } else if let error = error as? CocoaError, let code = ErrorWords.systemCode(of: error),
      code == ENOSPC || code == EDQUOT
    {
      self.init(path: error.filePath ?? path, code: code)
    } else if let words = (error as? any UserFacingError)?.problem.why,
      words.contains(String(cString: strerror(ENOSPC)))
    {
      self.init(path: path, code: ENOSPC)
    } else {
      return nil
    }
  }
}
