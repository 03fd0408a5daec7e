import FoundationEssentials
import Glibc
import Shared

/// Says that this machine is about to be switched off: no job is begun until it was, or until the time is over.
struct ShutdownHold: Codable, Equatable {
  /// Who asked.
  var run: String
  /// The boot that it holds for.
  var bootID: String
  /// In seconds since that boot.
  var until: Double

  private static func path(_ queue: QueueFolder) -> String { queue.path + "/stopping" }

  /// Writes it for ``MayStopReply/refusesFor`` from now on. Under the gate.
  static func write(for run: String, in queue: QueueFolder) throws {
    let name = String(
      run.unicodeScalars.filter { $0.isASCII && $0.value > 0x20 && $0.value < 0x7f }.prefix(96).map(Character.init))
    let mark = ShutdownHold(run: name, bootID: bootID, until: secondsSinceBoot + MayStopReply.refusesFor)
    let bytes = Array(try JSONEncoder().encode(mark))
    let path = path(queue)
    // Another user's is written over: every asker was told yes under the same gate.
    var file = open(path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC)
    if file < 0 { file = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666) }
    guard file >= 0 else { throw queue.failure(errno) }
    defer { close(file) }
    fchmod(file, 0o666)  // fails for another user's, which has that mode already
    guard pwrite(file, bytes, bytes.count, 0) == bytes.count else { throw queue.failure(ENOSPC) }
  }

  /// Refuses while a mark holds. Under the gate.
  static func check(_ queue: QueueFolder) throws {
    guard let mark = current(queue) else { return }
    let seconds = max(1, Int((mark.until - secondsSinceBoot).rounded(.up)))
    throw Problem(
      what: "the machine is about to be stopped for \(mark.run)",
      why: "it takes no new job until it was booted again, or for \(seconds) s if nobody stops it",
      fix: "try again in \(seconds) s", exitStatus: .infrastructure)
  }

  static func current(_ queue: QueueFolder) -> ShutdownHold? {
    let file = open(path(queue), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 1024)
    let count = pread(file, &bytes, bytes.count, 0)
    // Half a mark, or one for longer than any agent writes, is nobody's word.
    guard count > 0, let mark = try? JSONDecoder().decode(ShutdownHold.self, from: Data(bytes[..<count])) else {
      return nil
    }
    let left = mark.until - secondsSinceBoot
    return mark.bootID == bootID && left > 0 && left <= MayStopReply.refusesFor ? mark : nil
  }

  private static var bootID: String { BootID.current ?? "" }

  /// Goes on while the machine sleeps, and no hand can set it.
  private static var secondsSinceBoot: Double {
    var now = timespec()
    clock_gettime(CLOCK_BOOTTIME, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }
}
