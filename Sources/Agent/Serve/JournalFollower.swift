import Shared

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Sends a job's journal from a number on, as the bytes that stand there, and then what is appended.
final class JournalFollower {
  private let folder: JobFolder
  private let descriptor: Int32
  private var position: Int
  private var chunk = [UInt8](repeating: 0, count: 256 << 10)
  private var lastLine: [UInt8] = []
  private var last: Int

  /// - Throws: ``Problem`` when the journal does not reach `after`.
  init(_ folder: JobFolder, after: Int) throws {
    self.folder = folder
    last = after
    guard let offset = try JournalFile.offset(after: after, in: folder.journal) else {
      throw Problem(
        what: "the journal of '\(folder.id)' has no event \(after)",
        why: "the controller's file is ahead of the far end's: it belongs to another job or another machine",
        fix: "measure again", exitStatus: .infrastructure)
    }
    position = offset
    descriptor = open(folder.journal, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorageFailure(path: folder.journal, code: errno) }
    if offset > 0 { lastLine = lineBefore(offset) }
  }

  deinit { close(descriptor) }

  /// Sends what there is room for. Gives the end once everything is sent and nothing more will come.
  func pump(into out: OutgoingBytes) throws -> Ended? {
    while !out.isFull, !out.isBroken {
      if try sendChunk(out) { continue }
      if isFinished { return Ended(job: folder.id, reason: .finished, last: last) }
      guard folder.runningPID() == nil else { return nil }
      // The runner may have written between our last look and its end.
      if try sendChunk(out) { continue }
      if isFinished { return Ended(job: folder.id, reason: .finished, last: last) }
      return Ended(job: folder.id, reason: .runnerLost, last: last, log: folder.lastWords)
    }
    return nil
  }

  /// Sends one chunk of whole lines. False when there is none.
  private func sendChunk(_ out: OutgoingBytes) throws -> Bool {
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
