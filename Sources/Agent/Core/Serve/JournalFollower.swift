import Glibc
import Shared

/// Sends a job's journal from a number on, as the bytes that stand there, and then what is appended.
final class JournalFollower {
  private let folder: JobFolder
  private let descriptor: Int32
  /// Has the job go on that lost its runner; its end is told to ``revived(_:)``.
  private let revive: () -> Void
  private var revivals = 0
  private var revival = Revival.none
  private var position: Int
  private var chunk = [UInt8](repeating: 0, count: 256 << 10)
  private var last: Int
  private var isFinished: Bool

  /// How often a job whose runner is gone without a last word is taken up again while it is followed.
  private static let patience = 3

  private enum Revival { case none, underway, failed }

  init(_ folder: JobFolder, from place: JournalFile.Place, revive: @escaping () -> Void) throws(StorageFailure) {
    self.folder = folder
    self.revive = revive
    (position, last, isFinished) = (place.offset, place.after, place.isFinished)
    descriptor = open(folder.journal, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorageFailure(path: folder.journal, code: errno) }
  }

  deinit { close(descriptor) }

  /// Sends what there is room for. Gives the end once everything is sent and nothing more will come.
  func pump(into out: OutputBuffer) throws -> Ended? {
    while !out.isFull, !out.isBroken {
      if try sendChunk(out) { continue }
      if isFinished { return Ended(job: folder.id, reason: .finished, last: last) }
      if revival == .underway { return nil }
      if folder.hasRunner { return try stillFits() ? nil : lost }
      // The runner may have written between our last look and its end.
      if try sendChunk(out) { continue }
      if isFinished { return Ended(job: folder.id, reason: .finished, last: last) }
      revivals += 1
      guard revivals <= Self.patience, revival != .failed else { return lost }
      revival = .underway
      revive()
    }
    return nil
  }

  /// - Parameter isThere: whether the job has a runner, or its last word.
  func revived(_ isThere: Bool) { revival = isThere ? .none : .failed }

  private var lost: Ended {
    let full = StorageFailure.silent(at: folder.path).map { "\($0.what): \($0.why ?? "")" }
    let words = [folder.outputTail, full ?? ""].filter { !$0.isEmpty }.joined(separator: "\n")
    return Ended(job: folder.id, reason: .runnerLost, last: last, log: words)
  }

  /// False when what was sent is no longer there: a damaged end was cut off. Whoever attaches again is told where to go on.
  private func stillFits() throws -> Bool { lseek(descriptor, 0, SEEK_END) >= position }

  /// Sends one chunk of whole lines. False when there is none.
  private func sendChunk(_ out: OutputBuffer) throws -> Bool {
    let count = pread(descriptor, &chunk, chunk.count, off_t(position))
    guard count >= 0 else { throw StorageFailure(path: folder.journal, code: errno) }
    guard let newline = chunk[..<count].lastIndex(of: UInt8(ascii: "\n")) else {
      guard count == chunk.count else { return false }
      guard chunk.count <= WireLine.maximumBytes else { throw WireError.lineTooLong(limit: WireLine.maximumBytes) }
      chunk = [UInt8](repeating: 0, count: chunk.count * 4)  // a line longer than the chunk
      return true
    }
    chunk[...newline].withUnsafeBytes { out.send($0) }
    let start = chunk[..<newline].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    chunk[start..<newline].withUnsafeBytes { line in
      last = NumberedEvent.number(ofLine: line) ?? last
      isFinished = JournalFile.isType("finished", line)
    }
    position += newline + 1
    return true
  }
}

/// Wakes the server when a followed journal grows or its writer is gone (inotify(7): closing counts too).
final class InotifyWatcher: Sendable {
  let descriptor: Int32

  init() throws(StorageFailure) {
    descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    guard descriptor >= 0 else { throw StorageFailure(path: "inotify", code: errno) }
  }

  deinit { close(descriptor) }

  func add(_ path: String) throws(StorageFailure) {
    guard inotify_add_watch(descriptor, path, UInt32(IN_MODIFY | IN_CLOSE_WRITE)) >= 0 else {
      throw StorageFailure(path: path, code: errno)
    }
  }

  /// Forgets what woke us: every follower looks at its journal anyway.
  func drain() {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { chunk in
      while read(descriptor, chunk.baseAddress, chunk.count) > 0 {}
    }
  }
}
