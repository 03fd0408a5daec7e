import CLibrary
import FoundationEssentials

/// A folder in the system's temporary folder for what nobody needs once its owner is gone, readable by nobody else.
///
/// A file in it stays locked for as long as its owner lives, or a child that was given ``lock``. The kernel lets go of the
/// lock when they are killed, and the next command's ``sweep()`` removes the folder.
public final class ScratchFolder: Sendable {
  public let path: String
  /// The descriptor that holds the lock; closed on exec.
  public let lock: Int32

  private static let prefix = "cf-bench-"
  private static let lockName = ".cf-bench-scratch"

  /// - Parameter purpose: a word in its name.
  public init(_ purpose: String) throws {
    path =
      FileManager.default.temporaryDirectory.appending(path: "\(Self.prefix)\(purpose)-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let file = "\(path)/\(Self.lockName)"
    lock = open(file + ".new", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    // Locked before it has the name that a sweep looks for.
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0, rename(file + ".new", file) == 0 else {
      let code = errno
      remove()
      throw Problem(
        what: "can't keep a file in the temporary folder", why: "\(file): \(String(cString: strerror(code)))",
        fix: "make room there, or set TMPDIR to a folder that has some", exitStatus: .infrastructure)
    }
  }

  deinit { if lock >= 0 { close(lock) } }

  public func remove() {
    _ = try? FileManager.default.removeItem(atPath: path)  // what is left goes with a sweep
  }

  /// Removes folders of this user whose owners are gone.
  public static func sweep() {
    let parent = FileManager.default.temporaryDirectory.path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []  // can't be read: none to be found
    for name in names where name.hasPrefix(prefix) {
      let path = "\(parent)/\(name)"
      var facts = stat()
      guard lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid == geteuid() else { continue }
      let lock = open("\(path)/\(lockName)", O_RDWR | O_CLOEXEC | O_NOFOLLOW)
      guard lock >= 0 else { continue }
      if flock(lock, LOCK_EX | LOCK_NB) == 0 {
        _ = try? FileManager.default.removeItem(atPath: path)  // the next sweep tries again
      }
      close(lock)
    }
  }
}

/// Has an empty folder for the length of `body`.
public func withScratchFolder<Result>(_ purpose: String, _ body: (String) async throws -> Result) async throws
  -> Result
{
  let folder = try ScratchFolder(purpose)
  defer { folder.remove() }
  return try await body(folder.path)
}
