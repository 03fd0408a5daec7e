import CLibrary
import FoundationEssentials

/// Files that must be whole, and on the disk, whatever happens next: a kill, or a machine that loses its power.
public enum DurableFile {
  /// Replaces a file: writes beside its place, waits for the disk, and moves it there in one step (rename(2), fsync(2)). Where
  /// that fails the old content stands, and nothing is left beside it.
  public static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws(StorageFailure) {
    let (folder, name) = split(path)
    let temporary = "\(folder)/.\(name).\(getpid()).tmp"  // two processes may write the same file
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard file >= 0 else { throw StorageFailure(path: path, code: errno) }
    var code = bytes.withUnsafeBytes { writeAll($0, to: file) }
    if code == 0, fsync(file) != 0 { code = errno }
    close(file)
    if code == 0, rename(temporary, path) != 0 { code = errno }
    guard code == 0 else {
      unlink(temporary)  // nothing to do if that fails too: the error that matters is on its way
      throw StorageFailure(path: path, code: code)
    }
    try syncFolder(folder)
  }

  /// Removes what writers that were killed left beside the files of a folder. What belongs to a living process stays: it may
  /// be writing. A folder that can't be read has nothing to be removed; writing into it will say why.
  public static func removeLeftovers(in folder: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      let parts = name.split(separator: ".")
      guard name.hasPrefix("."), parts.count >= 3, parts.last == "tmp", let writer = pid_t(parts[parts.count - 2]),
        writer > 0, kill(writer, 0) != 0, errno == ESRCH
      else { continue }
      unlink("\(folder)/\(name)")  // one that can't be removed is in nobody's way
    }
  }

  /// Adds a line, given without its newline, to the end of a file in one write, and waits for the disk (write(2) with
  /// O_APPEND is one step). Behind a line that a crash tore it begins one of its own.
  public static func append(line: [UInt8], to path: String) throws(StorageFailure) {
    let isTorn = tail(of: path, bytes: 1).map { $0 != [UInt8(ascii: "\n")] && !$0.isEmpty } ?? false
    let bytes = (isTorn ? [UInt8(ascii: "\n")] : []) + line + [UInt8(ascii: "\n")]
    let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StorageFailure(path: path, code: errno) }
    defer { close(file) }
    var code = bytes.withUnsafeBytes { writeAll($0, to: file) }
    if code == 0, fsync(file) != 0 { code = errno }
    guard code == 0 else { throw StorageFailure(path: path, code: code) }
  }

  /// Does nothing where there is none.
  public static func remove(_ path: String) throws(StorageFailure) {
    guard unlink(path) == 0 || errno == ENOENT else { throw StorageFailure(path: path, code: errno) }
    try syncFolder(split(path).folder)
  }

  /// The last bytes of a file, at most `count`; `nil` for one that can't be read.
  public static func tail(of path: String, bytes count: Int) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    let size = Int(lseek(file, 0, SEEK_END))
    var bytes = [UInt8](repeating: 0, count: max(0, min(size, count)))
    let found = pread(file, &bytes, bytes.count, off_t(size - bytes.count))
    return found < 0 ? nil : Array(bytes[..<found])
  }

  /// Writes until all is written, however little the system takes at a time.
  /// - Returns: 0, or an `errno`.
  public static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = CLibrary.write(descriptor, rest.base.baseAddress?.advanced(by: rest.startIndex), rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? errno : ENOSPC }
      rest = rest.dropFirst(count)
    }
    return 0
  }

  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
  }

  private static func syncFolder(_ folder: String) throws(StorageFailure) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorageFailure(path: folder, code: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw StorageFailure(path: folder, code: errno) }
  }
}

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
