import Glibc
import Shared

/// The file that this process runs from.
enum OwnBinary {
  /// SHA-256 computed from the file.
  static func sha256() throws -> String { try sha256(of: Executable.own) }

  /// SHA-256 of any file.
  static func sha256(of path: String) throws -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw StorageFailure(path: path, code: errno) }
    defer { close(file) }
    var hash = SHA256()
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = read(file, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return hash.finish() }
      chunk[..<count].withUnsafeBytes { hash.update($0) }
    }
  }

  /// The SHA-256 under which the binary was installed: its folder's name, where that is one.
  static var installedSHA256: String? {
    let parts = Executable.own.split(separator: "/")
    guard parts.count > 2, parts[parts.count - 3] == "agents" else { return nil }
    return UploadID(sha256: String(parts[parts.count - 2]))?.sha256
  }
}
