import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("A full disk and a talkative job end in words, not in a mess", .programs)
struct PressureTests {
  /// Has a disk of 200 MB of its own.
  private func withDisk<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    try await withTemporaryFolder { folder in
      let disk = folder + "/disk"
      return try await withSmallDisk(at: disk, options: "size=200m") { try await body(disk) }
    }
  }

  /// Takes all the room that there is.
  private func fill(_ path: String) {
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(file) }
    for size in [1 << 20, 4096, 1] {
      let bytes = [UInt8](repeating: 7, count: size)
      while write(file, bytes, size) > 0 {}
    }
  }

  @Test(
    "a disk that fills up ends the job with those words, whatever it was at",
    arguments: ["started", "host", "sideReady", "sample"])
  func fullDisk(event: String) async throws {
    try await withDisk { home in
      let talk = Conversation(home: home, hasOwnEnvironments: true)
      let manifest = try Manifests.sleeping(name: "full", blocks: 1000)
      _ = try talk.send([.submit(SubmitRequest(manifest: manifest))])
      try await talk.wait(for: event, of: manifest.id)
      fill(home + "/filler")
      guard case .finished(let finished)? = try talk.follow(manifest.id).last else {
        Issue.record("no last word")
        return
      }
      #expect(finished.outcome == .failed)
      #expect(finished.problem?.what == StorageFailure(path: "", code: ENOSPC).what, "\(finished)")
      #expect(finished.problem?.fix.contains("make room") == true)
    }
  }

  @Test("a job for a disk that is full already is refused with those words, and nothing stays of it")
  func fullBefore() async throws {
    try await withDisk { home in
      fill(home + "/filler")
      let manifest = try Manifests.sleeping(name: "late", blocks: 1)
      let talk = Conversation(home: home)
      let answers = try talk.send([.submit(SubmitRequest(manifest: manifest))])
      let refused = answers.compactMap { if case .refused(let body) = $0 { body.problem } else { nil } }
      #expect(refused.map(\.what) == [StorageFailure(path: "", code: ENOSPC).what], "\(answers)")
      #expect(!talk.folder(manifest.id).exists)
    }
  }

  @Test("a disk that is too small by some pages is what preparing the sides tells of, whichever file meets it")
  func fullWhilePreparing() async throws {
    let needed = try await prepare(leaving: nil).used
    for pages in [1, 4, 16, needed / 4096] {
      let failure = try await prepare(leaving: needed - pages * 4096).failure
      #expect((failure as? StorageFailure)?.isFull == true, "\(pages) pages short: \(failure as Any)")
    }
  }

  /// Prepares a side on a disk with this much room, in bytes.
  private func prepare(leaving room: Int?) async throws -> (used: Int, failure: (any Error)?) {
    try await withDisk { home in
      let testbed = try SideTestbed(hostHome: home)
      if let room {
        try Data(count: room).write(to: URL(filePath: home + "/room"))
        fill(home + "/filler")
        try FileManager.default.removeItem(atPath: home + "/room")
      }
      var builder = try testbed.builder(.release(requirement: "six==1.17.0"))
      var failure: (any Error)?
      do { _ = try builder.prepare(python: testbed.python()) } catch { failure = error }
      var status = statvfs()
      try #require(statvfs(home, &status) == 0)
      return (Int(status.f_blocks - status.f_bfree) * Int(status.f_frsize), failure)
    }
  }

  @Test("however much a command prints, supervisor and worker stay small")
  func talkative() async throws {
    try await withTemporaryFolder { home in
      let talk = Conversation(home: home)
      let began = ContinuousClock.now
      let gigabytes = TrialReport.isThorough ? 5 : 0.25
      var manifest = try Manifests.sleeping(name: "talkative", blocks: 1)
      let code = "import sys; [sys.stdout.write('x' * 65535 + '\\n') for _ in range(\(Int(gigabytes * 16384)))]"
      manifest.layers.startup?.commands = [
        StartupCommand(name: "talks", arguments: ["python", "-c", code], isControl: false)
      ]
      manifest.layers.startup?.timeoutSeconds = 100
      _ = try talk.send([.submit(SubmitRequest(manifest: manifest))])
      let folder = talk.folder(manifest.id)
      var largest: [pid_t: Int] = [:]
      while case .running = folder.state, let supervisor = folder.runningPID() {
        let worker = ProcessTree.census().first { $0.parent == supervisor && !$0.isZombie }
        for pid in [supervisor, worker?.pid].compactMap({ $0 }) { largest[pid] = highWater(pid) ?? largest[pid] }
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(folder.lastWord?.outcome == .done, "\(String(describing: folder.lastWord))")
      let most = largest.values.max() ?? 0
      #expect(largest.count == 2 && most <= 64 << 10, "\(largest) KiB")
      let held = most <= 64 << 10 ? 1 : 0
      TrialReport.print("\(gigabytes) GB of output", trials: 1, held: held, worst: "\(most >> 10) MiB", since: began)
    }
  }

  /// The most memory that a process has had, in KiB (proc(5), `VmHWM`).
  private func highWater(_ pid: pid_t) -> Int? {
    let line = MachineFiles().text("/proc/\(pid)/status")?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.split(whereSeparator: \.isWhitespace)[1]) }
  }
}
