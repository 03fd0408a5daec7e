import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("The benchmark host keeps what is wanted and no more")
struct RetentionTests {
  private static let day = 86_400.0

  private struct Testbed {
    let home: AgentHome
    init(_ path: String) { home = AgentHome(environment: ["CF_BENCH_HOME": path]) }

    /// A job's folder, last changed so many days ago.
    @discardableResult
    func job(_ name: String, days: Double, finished: Bool = true, bytes: Int = 0) throws -> JobFolder {
      let folder = JobFolder(try #require(JobID(name)), in: home)
      try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
      try Data("{}".utf8).write(to: URL(filePath: folder.manifest))
      try Data(count: bytes).write(to: URL(filePath: folder.path + "/filler"))
      let writer = try JournalWriter(folder: folder.path)
      try writer.emit(
        finished ? .finished(Finished(outcome: .done, seconds: 1)) : .phase(Phase(text: "at work")))
      for path in [folder.journal, folder.manifest, folder.path] { try age(path, days: days) }
      return folder
    }

    func age(_ path: String, days: Double) throws {
      try FileManager.default.setAttributes(
        [.modificationDate: Date.now - days * RetentionTests.day], ofItemAtPath: path)
    }

    func put(_ path: String, days: Double) throws {
      try FileManager.default.createDirectory(
        atPath: URL(filePath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
      try Data("x".utf8).write(to: URL(filePath: path))
      try age(path, days: days)
    }

    func tidy(_ settings: [String: String] = [:]) {
      Retention(home: home, environment: settings.merging(["CF_BENCH_LOCK": home.path + "/lock"]) { $1 }).tidy()
    }

    var jobs: [String] { MachineFiles().names(in: home.jobs).sorted() }
  }

  @Test("the newest jobs stay by count, the old ones go, and unset limits are those of the manual")
  func count() async throws {
    try await withTemporaryFolder { path in
      let testbed = Testbed(path)
      for number in 0..<6 { try testbed.job("job-\(number)", days: Double(6 - number)) }
      testbed.tidy()
      #expect(testbed.jobs.count == 6)
      testbed.tidy(["CF_BENCH_KEEP_JOBS": "4"])
      #expect(testbed.jobs == ["job-2", "job-3", "job-4", "job-5"])
      testbed.tidy(["CF_BENCH_KEEP_DAYS": "2.5"])
      #expect(testbed.jobs == ["job-4", "job-5"])
      try testbed.job("ancient", days: 31)
      testbed.tidy(["CF_BENCH_KEEP_JOBS": "many"])
      #expect(testbed.jobs == ["job-4", "job-5"])
      #expect(Retention.Limits([:]).jobs == 50 && Retention.Limits([:]).bytes == 2 << 30)
    }
  }

  @Test("together they stay below the limit of bytes, the oldest going first")
  func bytes() async throws {
    try await withTemporaryFolder { path in
      let testbed = Testbed(path)
      for number in 0..<4 { try testbed.job("job-\(number)", days: Double(4 - number), bytes: 1 << 20) }
      testbed.tidy(["CF_BENCH_KEEP_BYTES": "\(5 << 19)"])
      #expect(testbed.jobs == ["job-2", "job-3"])
    }
  }

  @Test("a job that runs, or is unfinished and younger than a day, is never removed")
  func unfinished() async throws {
    try await withTemporaryFolder { path in
      let testbed = Testbed(path)
      let running = try testbed.job("running", days: 90, finished: false)
      try testbed.job("young", days: 0.5, finished: false)
      try testbed.job("given-up", days: 2, finished: false)
      let lock = try #require(FileLock(path: running.runnerLock, create: true))
      #expect(lock.tryLock())
      testbed.tidy(["CF_BENCH_KEEP_JOBS": "0"])
      #expect(testbed.jobs == ["running", "young"])
      withExtendedLifetime(lock) {}
    }
  }

  @Test("nothing is removed while a job measures here")
  func measuring() async throws {
    try await withTemporaryFolder { path in
      let testbed = Testbed(path)
      try testbed.job("old", days: 90)
      let lock = try #require(FileLock(path: path + "/lock", create: true))
      #expect(lock.tryLock())
      testbed.tidy()
      #expect(testbed.jobs == ["old"])
      lock.unlock()
      testbed.tidy()
      #expect(testbed.jobs == [])
    }
  }

  @Test("what was made for jobs goes when it was not used for long, but never the agent of a job that may go on")
  func unused() async throws {
    try await withTemporaryFolder { path in
      let testbed = Testbed(path)
      let home = testbed.home
      for folder in [home.environments, home.checkouts, home.uploads] {
        try testbed.put(folder + "/new", days: 1)
        try testbed.put(folder + "/old", days: 40)
        try testbed.put(folder + "/marked", days: 40)
        home.markUsed(folder + "/marked")
        try testbed.put(folder + "/building", days: 40)
        try testbed.put(folder + "/building.lock", days: 40)
      }
      let building = try #require(FileLock(path: home.checkouts + "/building.lock", create: false))
      #expect(building.tryLock())
      for name in ["gone", "wanted", "linked"] {
        try testbed.put("\(home.agents)/\(name)/cf-bench-agent", days: 40)
        try testbed.age("\(home.agents)/\(name)", days: 40)
      }
      let job = try testbed.job("in-flight", days: 0.1, finished: false)
      try Data("\(home.agents)/wanted/cf-bench-agent".utf8).write(to: URL(filePath: job.agentNote))
      try FileManager.default.createSymbolicLink(
        atPath: home.path + "/cf-bench-agent", withDestinationPath: "agents/linked/cf-bench-agent")
      testbed.tidy()
      func left(_ folder: String) -> [String] {
        MachineFiles().names(in: folder).filter { !$0.hasSuffix(".lock") }.sorted()
      }
      #expect(left(home.environments) == ["marked", "new"] && left(home.uploads) == ["marked", "new"])
      #expect(left(home.checkouts) == ["building", "marked", "new"])
      #expect(left(home.agents) == ["linked", "wanted"])
      withExtendedLifetime(building) {}
    }
  }
}
