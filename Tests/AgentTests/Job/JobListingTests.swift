import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("jobs lists what this home keeps", .programs)
struct JobListingTests {
  @Test("finished, lost, measuring and waiting jobs, in the order in which they were made")
  func list() async throws {
    try await QueueTestbed.with { testbed in
      func make(_ name: String, second: Int, events: [JobEvent], branch: String? = nil) throws -> JobFolder {
        var manifest = try testbed.manifest(name, branch: branch)
        manifest.createdAt = "2026-01-31T12:00:0\(second).000Z"
        let folder = try testbed.submit(manifest)
        let writer = try JournalWriter(folder: folder.path)
        for event in events { try writer.emit(event) }
        return folder
      }
      let step = JobEvent.phase(Phase(text: String(repeating: "x", count: 100_000)))
      _ = try make("z-first", second: 1, events: [step, .finished(Finished(outcome: .partial, seconds: 1))])
      _ = try make("y-lost", second: 2, events: [step, step])
      let measuring = try make("x-measures", second: 3, events: [step], branch: "codeflash main")
      let waiting = try make("w-waits", second: 4, events: [])
      let locks = try [measuring, waiting].map { folder in
        let lock = try #require(FileLock(path: folder.runnerLock, create: true))
        #expect(lock.tryLock())
        lock.write("1")
        return lock
      }
      let turns = try [measuring, waiting].map { try QueueReservation(testbed.environment, try $0.readManifest(), $0) }
      try turns[0].wait(limitSeconds: 1) { _ in }
      try Data("{".utf8).write(to: URL(filePath: try make("broken", second: 5, events: []).manifest))
      let jobs = try JobListing(home: testbed.home, environment: testbed.environment).list().jobs
      #expect(jobs.map(\.job.text) == ["z-first", "y-lost", "x-measures", "w-waits"])
      #expect(jobs.map(\.state) == [.finished, .lost, .measuring, .waiting])
      #expect(jobs.map(\.outcome) == [.partial, nil, nil, nil])
      #expect(jobs.map(\.events) == [2, 2, 1, 0])
      #expect(jobs.map(\.ahead) == [nil, nil, nil, 1])
      #expect(jobs[1].bytes > 200_000 && jobs[2].branch == "codeflash main" && jobs[3].expectedStart != nil)
      #expect(jobs[0].labels == ["six==1.17.0", "six==1.17.0"] && jobs[0].stopping?.budgetSeconds == 300)
      withExtendedLifetime((locks, turns)) {}
    }
  }
}
