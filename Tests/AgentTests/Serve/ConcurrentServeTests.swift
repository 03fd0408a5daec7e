import Foundation
import Glibc
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("A request that takes long holds up neither others nor a journal", .programs)
struct ConcurrentServeTests {
  /// A program in a folder of its own that hangs until a line is written into the FIFO beside it.
  private func hangingTool(_ name: String, in folder: String) throws -> (path: String, release: () throws -> Void) {
    let (tools, gate) = (folder + "/tools", folder + "/gate")
    try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
    try #require(mkfifo(gate, 0o600) == 0)
    try placeProgram("#!/bin/sh\nread line <'\(gate)'\necho '\(name) 9.9.9'\n", at: "\(tools)/\(name)")
    // Both ways, so that neither end waits for the other to be opened.
    let ends = open(gate, O_RDWR | O_CLOEXEC)
    try #require(ends >= 0)
    return (tools, { try #require(write(ends, "go\n", 3) == 3) })
  }

  @Test("while doctor waits for a program, a ping is answered and a journal goes on")
  func doctorHangs() async throws {
    try await withTemporaryFolder { home in
      let uv = try hangingTool("git", in: home)
      let manifest = try Manifests.sleeping(name: "followed", blocks: 1)
      let folder = JobFolder(manifest.id, in: AgentHome(environment: ["CF_BENCH_HOME": home]))
      try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
      try JSONEncoder().encode(manifest).write(to: URL(filePath: folder.manifest))
      let runner = try #require(FileLock(path: folder.runnerLock, create: true))
      #expect(runner.tryLock())
      runner.write("\(getpid())")
      let journal = try JournalWriter(folder: folder.path)
      try journal.emit(.phase(Phase(text: "first")))

      let session = try LiveConversation(
        home: home, path: uv.path,
        [
          .attach(AttachRequest(job: manifest.id, after: 0)),
          .doctor(DoctorRequest(python: PythonPlan(versions: [], fallbackToSystem: true))), .ping(Ping(number: 7)),
        ])
      var seen: [AgentMessage] = []
      func expect(_ wanted: (AgentMessage) -> Bool) throws {
        while !seen.contains(where: wanted) {
          let message = try session.next()
          seen.append(message)
          guard case .doctor = message else { continue }
          let isThere = seen.contains(where: wanted)
          try #require(isThere, "doctor held the others up")
        }
      }
      try expect { $0 == .pong(Ping(number: 7)) }
      try journal.emit(.phase(Phase(text: "second")))
      try expect { if case .event(2, _) = $0 { true } else { false } }
      try uv.release()
      try expect {
        if case .doctor(let reply) = $0 { reply.checks.contains { $0.detail == "git 9.9.9" } } else { false }
      }
      withExtendedLifetime(runner) {}
    }
  }

  @Test("while a submit waits at the queue's gate, a ping is answered")
  func submitWaits() async throws {
    try await withTemporaryFolder { home in
      let queue = QueueFolder(["CF_BENCH_LOCK": home + "/lock"])
      let manifest = try Manifests.sleeping(name: "waits", blocks: 1)
      var session: LiveConversation?
      try queue.withGate {
        let live = try LiveConversation(
          home: home, path: home, [.submit(SubmitRequest(manifest: manifest)), .ping(Ping(number: 3))])
        #expect(try live.next() == .pong(Ping(number: 3)))
        session = live
      }
      let answer = try #require(session).next()
      #expect(answer == .accepted(Accepted(job: manifest.id, alreadyKnown: false)))
      _ = DetachedRunner.cancel(JobFolder(manifest.id, in: AgentHome(environment: ["CF_BENCH_HOME": home])))
    }
  }
}
