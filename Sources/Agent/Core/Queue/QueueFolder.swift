import FoundationEssentials
import Glibc
import Shared

/// The order in which jobs have this host, over all users and homes: a folder beside the machine's lock with one ticket a job.
///
/// A ticket counts for as long as its owner holds it locked (`flock`), so that the kernel takes away what the dead leave.
/// Numbers are given out, and looks are taken, under one more lock, the gate: nobody sees half a step of another.
struct QueueFolder: Sendable {
  let path: String

  /// How long somebody may be at the gate, in seconds: steps under it take milliseconds.
  private static let gateLimit = 10.0

  init(_ environment: [String: String]) { path = MachineLock.path(environment) + ".queue" }

  var isThere: Bool { access(path, F_OK) == 0 }

  /// Has the queue to itself for the length of `body`.
  /// - Throws: when the folder can't be had: the queue fails closed.
  func withGate<Result>(_ body: () throws -> Result) throws -> Result {
    try make()
    guard let gate = FileLock(path: path + "/gate", create: true) else { throw failure(errno) }
    let deadline = MonotonicClock.seconds + Self.gateLimit
    while !gate.tryLock() {
      guard MonotonicClock.seconds < deadline else {
        throw Problem(
          what: "the queue of this machine can't be looked at", why: "\(path)/gate is held by somebody for too long",
          fix: "see who holds it there: fuser -v \(path)/gate", exitStatus: .infrastructure)
      }
      usleep(2000)
    }
    return try withExtendedLifetime(gate, body)
  }

  /// The tickets whose owner lives, in their order. Under the gate; removes what the dead left.
  func live() throws -> [(number: Int, entry: QueueEntry)] {
    try numbers().compactMap { number in QueueTicket.read(ticket(number)).map { (number, $0) } }
  }

  /// What nobody has had yet. Under the gate.
  func nextNumber() throws -> Int { (try numbers().last ?? 0) + 1 }

  func ticket(_ number: Int) -> String {
    let digits = String(number)
    return "\(path)/\(String(repeating: "0", count: max(0, Self.digits - digits.count)))\(digits)"
  }

  private static let digits = 12

  private func numbers() throws -> [Int] {
    guard isThere else { return [] }
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch { throw failure(EACCES) }
    return names.filter { $0.utf8.count == Self.digits && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
      .compactMap { Int($0) }.sorted()
  }

  /// Everybody may add a ticket, and only its owner may take it away (the sticky bit).
  private func make() throws {
    if mkdir(path, 0o1777) == 0 {
      chmod(path, 0o1777)  // what the umask took away; we made it, so we may
    } else if errno != EEXIST {
      throw failure(errno)
    }
    var info = stat()
    guard lstat(path, &info) == 0 else { throw failure(errno) }
    guard info.st_mode & S_IFMT == S_IFDIR else { throw failure(ENOTDIR) }
  }

  func failure(_ code: Int32) -> Problem {
    Problem(
      what: "the queue that keeps measurements in order can't be used",
      why: "\(path): \(String(cString: strerror(code)))",
      fix:
        "make it a folder in which every user on the benchmark host may write, or set CF_BENCH_LOCK to a file beside which one can be made",
      exitStatus: .infrastructure)
  }
}
