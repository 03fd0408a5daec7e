import CLibrary

/// Files that must be whole, and on the disk, whatever happens next: a kill, or a machine that loses its power.
public enum DurableFile {
  /// Writes beside the place, syncs, moves into place, and syncs the folder (rename(2), fsync(2)).
  public static func write(_ bytes: [UInt8], to path: String) throws(StorageFailure) {
    let temporary = "\(path).new-\(getpid())"  // two processes may write the same file
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StorageFailure(path: temporary, code: errno) }
    defer { close(file) }
    let count = putBytes(file, bytes)
    guard count == bytes.count else { throw StorageFailure(path: temporary, code: count < 0 ? errno : ENOSPC) }
    guard fsync(file) == 0, rename(temporary, path) == 0 else { throw StorageFailure(path: path, code: errno) }
    try syncFolder(of: path)
  }

  /// Adds to the end of a file in one write, and syncs (write(2) with O_APPEND is one step).
  public static func append(_ bytes: [UInt8], to path: String) throws(StorageFailure) {
    let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StorageFailure(path: path, code: errno) }
    defer { close(file) }
    let count = putBytes(file, bytes)
    guard count == bytes.count else { throw StorageFailure(path: path, code: count < 0 ? errno : ENOSPC) }
    guard fsync(file) == 0 else { throw StorageFailure(path: path, code: errno) }
  }

  /// Does nothing where there is none.
  public static func remove(_ path: String) throws(StorageFailure) {
    guard unlink(path) == 0 || errno == ENOENT else { throw StorageFailure(path: path, code: errno) }
    try syncFolder(of: path)
  }

  private static func syncFolder(of path: String) throws(StorageFailure) {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorageFailure(path: folder, code: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw StorageFailure(path: folder, code: errno) }
  }
}

/// write(2), whose name is taken inside the type above.
private func putBytes(_ file: Int32, _ bytes: [UInt8]) -> Int { write(file, bytes, bytes.count) }
