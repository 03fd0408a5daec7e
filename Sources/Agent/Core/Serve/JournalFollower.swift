import Glibc
import Shared

/// Sends a job's journal from a number on, as the bytes that stand there, and then what is appended.
final class JournalFollower {
  /// The number after which events follow: less than was asked for where the journal lost its newest lines in a crash.
  let after: Int
  private let folder: JobFolder
  private let descriptor: Int32
  private let revive: () -> Bool
  private var revivals = 0
  private var position: Int
  private var chunk = [UInt8](repeating: 0, count: 256 << 10)
  private var lastLine: [UInt8] = []
  private var last: Int

  /// How often a job whose runner is gone without a last word is taken up again while it is followed.
  private static let patience = 3

  /// - Parameter revive: has a job go on that lost its runner; false when that is not possible.
  /// - Throws: ``Problem`` when the controller's events are of another job.
  init(_ folder: JobFolder, _ attach: AttachRequest, revive: @escaping () -> Bool) throws {
    self.folder = folder
    self.revive = revive
    guard let place = try JournalFile.place(after: attach.after, hash: attach.hash, in: folder.journal) else {
      throw Problem(
        what: "the journal of '\(folder.id)' is not the one that the controller has the beginning of",
        why: "event \(attach.after) differs, and no runner took the job over before it",
        fix: "measure again, under another name", exitStatus: .infrastructure)
    }
    after = place.after
    last = place.after
    position = place.offset
    descriptor = open(folder.journal, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorageFailure(path: folder.journal, code: errno) }
    if position > 0 { lastLine = lineBefore(position) }
  }

  deinit { close(descriptor) }

  /// Sends what there is room for. Gives the end once everything is sent and nothing more will come.
  func pump(into out: OutputBuffer) throws -> Ended? {
    while !out.isFull, !out.isBroken {
      if try sendChunk(out) { continue }
      if isFinished { return Ended(job: folder.id, reason: .finished, last: last) }
      if folder.hasRunner { return try stillFits() ? nil : lost }
      // The runner may have written between our last look and its end.
      if try sendChunk(out) { continue }
      if isFinished { return Ended(job: folder.id, reason: .finished, last: last) }
      revivals += 1
      guard revivals <= Self.patience, revive() else { return lost }
    }
    return nil
  }

  private var lost: Ended { Ended(job: folder.id, reason: .runnerLost, last: last, log: folder.outputTail) }

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
    lastLine = Array(chunk[start..<newline].prefix(64))
    last = lastLine.withUnsafeBytes { NumberedEvent.number(ofLine: $0) } ?? last
    position += newline + 1
    return true
  }

  private var isFinished: Bool {
    // `{"seq":N,"type":"finished",…`: the form is our own writer's, so the bytes can be compared.
    String(decoding: lastLine, as: UTF8.self).contains(",\"type\":\"finished\",")
  }

  private func lineBefore(_ offset: Int) -> [UInt8] {
    var line: [UInt8] = []
    // A file that just gave this offset can be read again; if not, the runner's lock decides.
    try? JournalFile.eachLine(folder.journal) { bytes, end in
      if end == offset { line = Array(bytes.prefix(64)) }
      return end < offset
    }
    return line
  }
}
