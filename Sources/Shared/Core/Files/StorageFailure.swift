import CLibrary

/// The disk of the benchmark host does not take what must be kept.
public struct StorageFailure: UserFacingError {
  public var path: String
  public var code: Int32

  public init(path: String, code: Int32) {
    self.path = path
    self.code = code
  }

  public var isFull: Bool { code == ENOSPC || code == EDQUOT }
  public var what: String {
    isFull ? "the disk of the benchmark host is full" : "the benchmark host can't write its journal"
  }
  public var why: String? { "\(path): \(String(cString: strerror(code)))" }
  public var fix: String {
    isFull
      ? "make room there: old jobs, environments and checkouts in ~/.cf-bench may be deleted; 'df -h ~' shows the disk"
      : "make ~/.cf-bench writable there, or set CF_BENCH_HOME for that login to a folder that is"
  }
  public var exitStatus: ExitStatus { .infrastructure }
}
