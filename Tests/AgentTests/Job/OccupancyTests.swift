import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("Who needs this host is answered before it is switched off", .programs)
struct OccupancyTests {
  private func present(_ home: Conversation) throws -> [Occupancy.Entry] {
    let answers = try home.send([.occupancy])
    guard answers.count == 1, case .occupancy(let reply) = answers[0] else {
      Issue.record("unexpected answers \(answers)")
      return []
    }
    return reply.jobs
  }

  @Test(
    "one job measures, one waits, another home sees both, and nobody is there after")
  func coming() async throws {
    try await withTemporaryFolder { folder in
      let home = Conversation(home: folder + "/ours", lock: folder + "/lock")
      let neighbour = Conversation(home: folder + "/theirs", lock: folder + "/lock")
      #expect(try present(home) == [])
      let first = try Manifests.sleeping(name: "a-first", blocks: 1000)
      var second = try Manifests.sleeping(name: "b-second", blocks: 1000)
      second.owner = "grace of navy@desk"
      let measuring = Occupancy.Entry(job: first.id, owner: "tests", state: .measuring)
      _ = try home.send([.submit(SubmitRequest(manifest: first))])
      try await home.wait(for: "host", of: first.id)
      #expect(try present(home) == [measuring])
      _ = try home.send([.submit(SubmitRequest(manifest: second))])
      try await home.wait(for: "queued", of: second.id)
      let waiting = Occupancy.Entry(job: second.id, owner: "grace of navy@desk", state: .waiting)
      #expect(try present(home) == [measuring, waiting])
      #expect(try present(neighbour) == [measuring, waiting])
      _ = try home.send([.cancel(CancelRequest(job: second.id)), .attach(AttachRequest(job: second.id, after: 0))])
      #expect(try present(home) == [measuring])
      _ = try home.send([.cancel(CancelRequest(job: first.id)), .attach(AttachRequest(job: first.id, after: 0))])
      #expect(try present(home) == [])
      #expect(try present(neighbour) == [])
    }
  }

  @Test(
    "whoever holds the machine counts, whatever stands in the lock",
    arguments: [
      ("job-7 of ada of x@laptop", "job-7", "ada of x@laptop"), ("", "unknown", "somebody"),
      ("../x of y", "unknown", "somebody"),
    ])
  func strangers(content: String, job: String, owner: String) async throws {
    try await withTemporaryFolder { folder in
      let lock = try #require(FileLock(path: folder + "/lock", create: true))
      lock.write(content)
      #expect(try present(Conversation(home: folder)) == [], "what a holder left behind is nobody")
      #expect(lock.tryLock())
      let holder = Occupancy.Entry(job: try #require(JobID(job)), owner: owner, state: .measuring)
      #expect(try present(Conversation(home: folder)) == [holder])
    }
  }

  @Test("a job whose runner is still to come waits; one that never came, or is over, does not")
  func starting() async throws {
    try await withTemporaryFolder { folder in
      let home = Conversation(home: folder)
      let manifest = try Manifests.sleeping(name: "submitted", blocks: 1)
      let job = home.folder(manifest.id)
      try FileManager.default.createDirectory(atPath: job.path, withIntermediateDirectories: true)
      try JSONEncoder().encode(manifest).write(to: URL(filePath: job.manifest))
      #expect(try present(home) == [Occupancy.Entry(job: manifest.id, owner: "tests", state: .waiting)])
      try FileManager.default.setAttributes([.modificationDate: Date.now - 3600], ofItemAtPath: job.manifest)
      #expect(try present(home) == [])
      try FileManager.default.setAttributes([.modificationDate: Date.now], ofItemAtPath: job.manifest)
      try Data().write(to: URL(filePath: job.journal))
      #expect(try present(home) == [], "with a journal its lock says whether it is there")
      let lock = try #require(FileLock(path: job.runnerLock, create: true))
      #expect(lock.tryLock())
      lock.write("1")
      #expect(try present(home) == [Occupancy.Entry(job: manifest.id, owner: "tests", state: .waiting)])
      try Data("{".utf8).write(to: URL(filePath: job.manifest))
      #expect(try present(home) == [Occupancy.Entry(job: manifest.id, owner: "somebody", state: .waiting)])
    }
  }
}
