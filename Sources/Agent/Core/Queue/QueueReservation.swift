import FoundationEssentials
import Glibc
import Shared

/// A job's way to the machine: a place in the queue from the start, and the machine's lock once its turn has come. Both go with
/// this object, and with the process. A job that is taken up again after a kill gets the place that it had.
final class QueueReservation {
  private let queue: QueueFolder
  private let ticket: QueueTicket
  private let lock: FileLock
  private let folder: JobFolder

  private let pauses: Pauses

  /// Takes a place in the queue.
  /// - Throws: when queue or lock can't be had (they fail closed), and when the machine is about to be stopped.
  init(_ environment: [String: String], _ manifest: JobManifest, _ folder: JobFolder) throws {
    queue = QueueFolder(environment)
    self.folder = folder
    pauses = Pauses(environment)
    let queue = queue
    lock = try MachineLock.open(environment)
    ticket = try queue.withGate {
      try ShutdownHold.check(queue)
      return try QueueTicket(QueueEntry(manifest), in: queue, note: folder.path + "/ticket")
    }
  }

  /// Waits for the machine, telling its place whenever that changes.
  /// - Throws: ``JobCancelled``, ``JobSuperseded``, and a ``Problem`` when the limit passes.
  func wait(limitSeconds: Double, tell: (Queued) throws -> Void) throws {
    let deadline = MonotonicClock.seconds + limitSeconds
    var told: QueuePlace?
    while let place = try look() {
      if place.isNews(after: told) {
        try tell(place.event)
        told = place
      }
      guard MonotonicClock.seconds < deadline else {
        throw Problem(
          what: "other jobs had the machine for longer than this one may wait",
          why: "\(place.ahead) ahead; held by \(place.holder)",
          fix: "try again later, or raise limits.queue", exitStatus: .infrastructure)
      }
      usleep(UInt32(pauses.queueLook * 1e6))  // woken early by a signal, which is fine
      if CancelFlag.isSet { throw JobCancelled() }
    }
  }

  /// Takes the machine when nobody comes before; otherwise says who does.
  private func look() throws -> QueuePlace? {
    try queue.withGate {
      try Supersession.check(folder)
      let live = try queue.live()
      let before = live.count { $0.number < ticket.number }
      if before == 0, lock.tryLock() {
        try Supersession.noteBegin(folder)
        try ticket.begin(queue)
        lock.write(ticket.entry.holder)
        return nil
      }
      // Who stands in a lock that nobody holds was there before.
      return QueuePlace(before: before, of: live.map(\.entry), lockHolder: lock.isHeld ? lock.content : nil)
    }
  }
}
