import CLibrary

/// A file's `flock`: dies with its holder, works between users, and says who holds it.
public final class FileLock {
  private let descriptor: Int32

  /// Opens the file; `nil` when that is not possible.
  /// - Parameter mode: who may lock a file that is made here; everybody on the host, unless told otherwise.
  public init?(path: String, create: Bool, mode: mode_t = 0o666) {
    var file = open(path, O_RDWR | O_CLOEXEC)
    if file < 0, create { file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, mode) }
    // Another user's file can still be locked; only its content can't be changed.
    if file < 0 { file = open(path, O_RDONLY | O_CLOEXEC) }
    guard file >= 0 else { return nil }
    if create { fchmod(file, mode) }  // fails for another user's file, which has that mode already
    descriptor = file
  }

  deinit { close(descriptor) }

  public func tryLock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  public func unlock() { flock(descriptor, LOCK_UN) }

  /// Whether somebody else holds it. Asks for a shared lock, so that those who only look don't take each other for holders.
  public var isHeld: Bool {
    guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return errno == EWOULDBLOCK }
    flock(descriptor, LOCK_UN)
    return false
  }

  /// What the holder wrote about itself.
  public var content: String {
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
  }

  /// Says who holds it; other users' files stay as they are.
  public func write(_ text: String) {
    ftruncate(descriptor, 0)
    let bytes = Array(text.utf8.prefix(512))
    pwrite(descriptor, bytes, bytes.count, 0)
  }
}
