import ControllerCore
import Foundation
import LocalSSHD
import Shared

/// What the connection costs: an event's way from the benchmark host's disk to this one, and reconnecting after a cut.
extension OverheadBench {
  private static let events = 1_000_000
  private static let rounds = 5

  /// A sealed journal from the benchmark host's disk to this one, numbers and hashes checked, and the same bytes over a bare
  /// channel; beside `ssh host cat` with the same cipher, in turns. One round before them brings everything into the cache.
  func streaming(
    _ bench: LoopbackBench, _ server: PrivateSSHD, folder: String, home: String
  ) async throws -> [OverheadReport.Line] {
    note("streaming a journal of a million events, \(Self.rounds + 1) times five ways")
    let sealed = try writeJournal("overhead", home: home, isSealed: true)
    let plain = try writeJournal("unsealed", home: home, isSealed: false)
    let cipher = try await bench.connect()
    var (ours, unsealed, copied, channel, piped): ([Double], [Double], [Double], [Double], [Double]) = (
      [], [], [], [], []
    )
    for round in -1..<Self.rounds {
      let mine = try await follow(sealed, bench, to: folder + "/events.ndjson")
      let without = try await follow(plain, bench, to: folder + "/events.ndjson")
      let copy = folder + "/copy"
      // Ours is on the disk when it is done, so the peer's copy has to be as well.
      let other = try await seconds {
        try await ssh(server, "cat \(sealed.path)", to: copy, cipher: cipher)
        try FileHandle(forUpdating: URL(filePath: copy)).synchronize()
      }
      try FileManager.default.removeItem(atPath: copy)
      let bare = try await read(sealed, bench)
      let pipe = try await seconds { try await ssh(server, "cat \(sealed.path)", to: "/dev/null", cipher: cipher) }
      guard round >= 0 else { continue }
      ours.append(mine)
      unsealed.append(without)
      copied.append(other)
      channel.append(bare)
      piped.append(pipe)
    }
    let name = cipher ?? "its own cipher"
    let ratio = { (theirs: [Double], mine: [Double]) in middle(zip(theirs, mine).map { $0 / $1 }) }
    let rate = { (times: [Double]) in Double(sealed.bytes) / middle(times) / 1e6 }
    return [
      .init(
        name: "journal to disk", figure: String(format: "%.2f x (%.0f MB/s)", ratio(copied, ours), rate(ours)),
        beside: String(format: "ssh host cat file > disk and fsync, %@, %.0f MB/s", name, rate(copied)),
        aim: ">= 0.95 x"),
      .init(
        name: "events to disk", figure: String(format: "%.0f events/s", Double(Self.events) / middle(ours)),
        beside: String(
          format: "of %d bytes; the same lines by ssh, %.0f/s", sealed.bytes / Self.events,
          Double(Self.events) / middle(copied)), aim: ""),
      .init(
        name: "hash chain", figure: String(format: "%.2f x the time", ratio(ours, unsealed)),
        beside: "the same journal without hashes", aim: "<= 1.15 x"),
      .init(
        name: "bytes on the channel",
        figure: String(format: "%.2f x (%.0f MB/s)", ratio(piped, channel), rate(channel)),
        beside: String(format: "ssh host cat file > /dev/null, %@, %.0f MB/s", name, rate(piped)), aim: ">= 0.95 x"),
    ]
  }

  /// From a cut to the first new event on this disk: sshd's session is killed, and an event written in the same moment.
  func reconnecting(
    _ bench: LoopbackBench, _ server: PrivateSSHD, folder: String, home: String
  ) async throws -> OverheadReport.Line {
    note("cutting a connection, 11 times")
    let file = folder + "/reconnected.ndjson"
    let live = try LiveJournal(home: home)
    let executable = bench.agentPath(home: home)
    let job = live.job
    async let ended: Void = bench.followThroughCuts(job, into: file)
    var times: [Double] = []
    for _ in 0..<11 {
      let number = try live.write()
      try await wait(for: number, in: file)
      let session = try ServedSession.pid(of: executable)
      times.append(
        try await seconds {
          kill(session, SIGKILL)
          try await wait(for: try live.write(), in: file)
        })
    }
    try live.finish()
    try await ended
    let plain = try await seconds { try await ssh(server, "true", to: "/dev/null") }
    return .init(
      name: "cut to first new event", figure: String(format: "%.0f ms", middle(times) * 1000),
      beside: String(
        format: "longest %.0f ms; ssh host true, %.0f ms", (times.max() ?? .nan) * 1000, plain * 1000),
      aim: "<= 1000 ms")
  }

  private func wait(for number: Int, in file: String) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    let mark = Data("{\"seq\":\(number),".utf8)
    while true {
      let bytes = (try? Data(contentsOf: URL(filePath: file))) ?? Data()  // not opened yet
      if bytes.range(of: mark) != nil { return }
      guard ContinuousClock.now < deadline else { throw LimitPassed(waitedFor: "an event", limit: .seconds(30)) }
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  private struct StoredJournal {
    var job: JobID
    var path: String
    var bytes: Int
  }

  private func follow(_ journal: StoredJournal, _ bench: LoopbackBench, to file: String) async throws -> Double {
    let time = try await seconds {
      let last = try await bench.follow(journal.job, into: file)
      guard last == Self.events else { throw Self.cutShort("\(last) of \(Self.events) events came") }
    }
    try FileManager.default.removeItem(atPath: file)
    return time
  }

  /// The bytes of a file over a channel, looked at by nobody.
  private func read(_ journal: StoredJournal, _ bench: LoopbackBench) async throws -> Double {
    try await seconds {
      let count = try await bench.bytes(of: "cat \(journal.path)")
      guard count == journal.bytes else { throw Self.cutShort("\(count) of \(journal.bytes) bytes came") }
    }
  }

  private static func cutShort(_ why: String) -> Problem {
    Problem(what: "the journal was cut short", why: why, fix: "run the command again", exitStatus: .infrastructure)
  }

  private func writeJournal(_ name: String, home: String, isSealed: Bool) throws -> StoredJournal {
    guard let job = JobID(name) else { preconditionFailure("a constant name of letters") }
    let folder = "\(home)/jobs/\(job)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // A job counts as there once its manifest is; nobody reads this one.
    try Data("{}".utf8).write(to: URL(filePath: folder + "/manifest.json"))
    let sample = Sample(
      layer: .startup, metric: "codeflash --version", python: "3.12", arm: .base, block: 3, position: 1,
      value: 0.0197, userSeconds: 0.012, systemSeconds: 0.004, exitCode: 0)
    let time = Timestamp.rfc3339()
    let template = try NumberedEvent(number: 1, time: time, event: .sample(sample)).line()
    let rest = template[(template.firstIndex(of: UInt8(ascii: ",")) ?? 0)...]
    var chain = JournalChain()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.events * 320)
    for number in 1..<Self.events {
      let line = Array("{\"seq\":\(number)".utf8) + rest
      bytes += isSealed ? chain.seal(line) : line
    }
    let last = try NumberedEvent(
      number: Self.events, time: time, event: .finished(Finished(outcome: .done, seconds: 1))
    ).line()
    bytes += isSealed ? chain.seal(last) : last
    let path = folder + "/journal.ndjson"
    try Data(bytes).write(to: URL(filePath: path))
    return StoredJournal(job: job, path: path, bytes: bytes.count)
  }
}

/// A job whose runner is this program: it holds the lock and writes the journal.
private final class LiveJournal {
  let job: JobID
  private let lock: FileLock
  private let file: FileHandle
  private var chain = JournalChain()
  private var last = 0

  init(home: String) throws {
    guard let job = JobID("reconnected") else { preconditionFailure("a constant name of letters") }
    self.job = job
    let folder = "\(home)/jobs/\(job)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data("{}".utf8).write(to: URL(filePath: folder + "/manifest.json"))
    try Data().write(to: URL(filePath: folder + "/journal.ndjson"))
    guard let lock = FileLock(path: folder + "/runner", create: true), lock.tryLock() else {
      throw Problem(
        what: "\(folder)/runner can't be locked", fix: "run the command again", exitStatus: .infrastructure)
    }
    // Whoever would end the runner must not end this program: no process has this number.
    lock.write("\(Int32.max)")
    self.lock = lock
    file = try FileHandle(forWritingTo: URL(filePath: folder + "/journal.ndjson"))
  }

  /// Writes one event; gives its number.
  func write() throws -> Int {
    try append(.phase(Phase(text: "event")))
    return last
  }

  func finish() throws { try append(.finished(Finished(outcome: .done, seconds: 1))) }

  private func append(_ event: JobEvent) throws {
    let line = try NumberedEvent(number: last + 1, time: Timestamp.rfc3339(), event: event).line()
    try file.write(contentsOf: Data(chain.seal(line)))
    last += 1
  }
}

/// The sshd process behind a `serve`.
private enum ServedSession {
  /// Its process id: `serve` is started by the login's shell in its own place, so that sshd is its parent.
  static func pid(of executable: String) throws -> pid_t {
    for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc") where entry.allSatisfy(\.isNumber) {
      guard (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(entry)/exe")) == executable,  // gone
        let stat = try? String(contentsOfFile: "/proc/\(entry)/stat", encoding: .utf8)
      else { continue }
      let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
      if fields.count > 2, let parent = pid_t(fields[2]), parent > 1 { return parent }
    }
    throw Problem(what: "no session is open", fix: "run the command again", exitStatus: .infrastructure)
  }
}
