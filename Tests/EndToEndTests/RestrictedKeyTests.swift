import Foundation
import Shared
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import ControllerCore

@Suite("A key that lets in nothing but the agent is enough for everything", .programs)
struct RestrictedKeyTests {
  @Test(
    "a whole run: the older agent replaces itself, files go the same way, and the next run sends neither")
  func run() async throws {
    try await RestrictedKeyTestbed.with(agent: RestrictedKeyTestbed.installOlder) { door in
      let older = try door.current()
      let built = try AgentBinary.find(environment: [:], near: BuiltProduct.path("cf-bench-agent"))
      let first = try await door.testbed.bench(["run", "path:fast", "--layers", "startup"] + door.login)
      #expect(first.status == 0, "\(first.error)")
      #expect(first.error.contains("bringing the agent") && first.error.contains("sending"), "\(first.error)")
      #expect(try door.current() == built.sha256 && older != built.sha256)
      #expect(FileManager.default.fileExists(atPath: "\(door.home)/agents/\(older)/cf-bench-agent"))
      let names = try FileManager.default.subpathsOfDirectory(atPath: door.home)
      #expect(!names.contains { $0.contains(".arriving-") || $0.contains(".new-") })
      let second = try await door.testbed.bench(["run", "path:fast", "--layers", "startup"] + door.login)
      #expect(second.status == 0, "\(second.error)")
      #expect(!second.error.contains("bringing the agent") && !second.error.contains("sending"), "\(second.error)")
      let doctor = try await door.testbed.bench(["doctor"] + door.login)
      #expect(doctor.output.contains("agent \(Version.current)"), "\(doctor.output)\(doctor.error)")
    }
  }

  @Test("Ctrl-C ends the job behind it")
  func cancel() async throws {
    try await RestrictedKeyTestbed.with(agent: RestrictedKeyTestbed.installOlder) { door in
      try door.testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 500))
      let keys = door.testbed.environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
      let result = try await Subprocess.run(
        .path(FilePath(try BuiltProduct.path("cf-bench"))),
        arguments: Arguments(["run", "path:fast", "--layers", "startup"] + door.login),
        environment: .custom(Dictionary(uniqueKeysWithValues: keys)), workingDirectory: FilePath(door.testbed.folder),
        input: .none, output: .discarded, error: .discarded
      ) { execution in
        while true {
          let jobs = (try? FileManager.default.contentsOfDirectory(atPath: door.home + "/jobs")) ?? []  // none yet
          let journal = (try? door.testbed.read("far/jobs/\(jobs.first ?? "")/journal.ndjson")) ?? ""
          if journal.contains("\"type\":\"sample\"") { break }
          try await Task.sleep(for: .milliseconds(20))
        }
        kill(execution.processIdentifier.value, SIGINT)
      }
      #expect(result.terminationStatus == .exited(Shared.ExitStatus.cancelled.rawValue))
      let job = try #require(try FileManager.default.contentsOfDirectory(atPath: door.home + "/jobs").first)
      let last = try door.testbed.read("far/jobs/\(job)/journal.ndjson").split(separator: "\n").last ?? ""
      #expect(last.contains("\"outcome\":\"cancelled\""))
    }
  }

  @Test("a newer agent of the same protocol stays, and is said to be there")
  func newer() async throws {
    let agent = try RestrictedKeyTestbed.changed("1s/\"agentVersion\":\"[^\"]*\"/\"agentVersion\":\"9.0.0\"/")
    try await RestrictedKeyTestbed.with(agent: agent) { door in
      let run = try await door.testbed.bench(["run", "path:fast", "--layers", "startup"] + door.login)
      #expect(run.status == 0, "\(run.error)")
      #expect(run.error.contains("release 9.0.0: it is newer"), "\(run.error)")
      #expect(!FileManager.default.fileExists(atPath: door.home + "/agents"))
    }
  }

  @Test(
    "an older agent that can't be replaced is gone on with; a file for it is refused with the way out")
  func older() async throws {
    let agent = try RestrictedKeyTestbed.changed(
      "s/\"agentVersion\":\"[^\"]*\"/\"agentVersion\":\"0.0.9\"/;s/,*\"features\":[^]]*]//")
    try await RestrictedKeyTestbed.with(agent: agent) { door in
      let doctor = try await door.testbed.bench(["doctor"] + door.login)
      #expect(doctor.output.contains("agent 0.0.9"), "\(doctor.output)\(doctor.error)")
      let run = try await door.testbed.bench(["run", "path:fast", "--layers", "startup"] + door.login)
      #expect(run.status == Shared.ExitStatus.infrastructure.rawValue)
      #expect(run.error.contains("release 0.0.9") && run.error.contains("accepts no files"), "\(run.error)")
      #expect(run.error.contains("cf-bench doctor"), "\(run.error)")
    }
  }

  @Test(
    "an agent of the protocol before or after this one: who is older, and what to update",
    arguments: [
      (0, "0.0.1", "older", "cf-bench doctor"), (2, "7.1.0", "newer", "update cf-bench here to release 7.1.0"),
    ])
  func otherProtocol(number: Int, release: String, word: String, fix: String) async throws {
    let agent = try RestrictedKeyTestbed.changed(
      "s/\"agentVersion\":\"[^\"]*\"/\"agentVersion\":\"\(release)\"/;s/\"protocolVersion\":1/\"protocolVersion\":\(number)/"
    )
    try await RestrictedKeyTestbed.with(agent: agent) { door in
      let run = try await door.testbed.bench(["run", "path:fast"] + door.login)
      #expect(run.status == Shared.ExitStatus.infrastructure.rawValue)
      for part in ["protocol \(number)", "release \(release)", word, fix] {
        #expect(run.error.contains(part), "\(run.error)")
      }
      #expect(!run.error.contains("bringing"))
    }
  }

  @Test(
    "an agent for another processor: by a shell it is said before anything is sent, a restricted key goes on with the one that is there"
  )
  func foreignProcessor() async throws {
    try await RestrictedKeyTestbed.with(agent: RestrictedKeyTestbed.installOlder) { door in
      var bytes = try Data(contentsOf: URL(filePath: BuiltProduct.path("cf-bench-agent")))
      bytes[18] = bytes[18] == 183 ? 62 : 183  // elf(5): e_machine
      let foreign = door.testbed.folder + "/foreign"
      try bytes.write(to: URL(filePath: foreign))
      let extra = ["CF_BENCH_AGENT": foreign]
      let shell = try await door.testbed.bench(["run", "path:fast"], extra: extra)
      #expect(shell.status == Shared.ExitStatus.infrastructure.rawValue)
      #expect(shell.error.contains("processor") && shell.error.contains("CF_BENCH_AGENT"), "\(shell.error)")
      #expect(!shell.error.contains("bringing"), "\(shell.error)")
      let older = try door.current()
      let over = try await door.testbed.bench(["run", "path:fast", "--layers", "startup"] + door.login, extra: extra)
      #expect(over.status == 0 && over.error.contains("keeping the agent"), "\(over.error)")
      #expect(try door.current() == older && !over.error.contains("bringing"), "\(over.error)")
    }
  }

  @Test("a line that names an agent which is not there")
  func missing() async throws {
    try await RestrictedKeyTestbed.with(agent: { _, _ in }) { door in
      let run = try await door.testbed.bench(["run", "path:fast"] + door.login)
      #expect(run.status == Shared.ExitStatus.infrastructure.rawValue)
      #expect(run.error.contains("none is installed there") && run.error.contains("cf-bench doctor"), "\(run.error)")
    }
  }

  @Test("a disk that fills with what is sent is said to be full, and nothing stays of it")
  func fullDisk() async throws {
    try await Testbed.with { outer in
      try await outer.withMount(options: "size=28m") { mount in
        let agent: @Sendable (Testbed, String) async throws -> Void = { _, home in
          // As installed by this controller, so that only the upload has to fit.
          let built = try AgentBinary.find(environment: [:], near: BuiltProduct.path("cf-bench-agent"))
          let folder = "\(home)/agents/\(built.sha256)"
          try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
          let copied = try await outer.tool("cp", ["--", built.path, folder + "/cf-bench-agent"])
          try #require(copied.status == 0, "\(copied.error)")
          try FileManager.default.createSymbolicLink(
            atPath: home + "/cf-bench-agent", withDestinationPath: "agents/\(built.sha256)/cf-bench-agent")
          // The agent's size differs between builds: this much is left.
          let left = 2 << 20
          let system = try FileManager.default.attributesOfFileSystem(forPath: home)
          let free = try #require(system[.systemFreeSize] as? Int)
          try Data(count: free - left).write(to: URL(filePath: home + "/filler"))
        }
        try await RestrictedKeyTestbed.with(home: mount + "/home", agent: agent) { door in
          try Data((0..<(6 << 20)).map { _ in UInt8.random(in: 0...255) }).write(
            to: URL(filePath: door.testbed.folder + "/fast/large.bin"))
          let run = try await door.testbed.bench(["run", "path:fast"] + door.login)
          #expect(run.status == Shared.ExitStatus.infrastructure.rawValue)
          #expect(run.error.contains("full") && run.error.contains("df -h"), "\(run.error)")
          let uploads = (try? FileManager.default.contentsOfDirectory(atPath: door.home + "/uploads")) ?? []
          #expect(uploads == [])
        }
      }
    }
  }
}

extension AgentBinary {
  /// The one that was built beside the tests.
  static func find(environment: [String: String], near path: String) throws -> AgentBinary {
    try find(environment: environment.merging(["CF_BENCH_AGENT": path]) { $1 })
  }
}
