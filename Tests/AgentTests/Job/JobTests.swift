import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("A submitted job runs once, alone, and to its last word", .programs)
struct JobTests {
  private func converse(_ home: String, _ requests: [AgentRequest]) throws -> [AgentMessage] {
    try Conversation(home: home).send(requests)
  }

  private func submit(_ manifest: JobManifest) -> AgentRequest { .submit(SubmitRequest(manifest: manifest)) }
  private func attach(_ manifest: JobManifest) -> AgentRequest { .attach(AttachRequest(job: manifest.id, after: 0)) }

  private func events(_ messages: [AgentMessage]) throws -> [JobEvent] {
    try messages.compactMap { if case .event(_, let line) = $0 { try NumberedEvent(line: line).event } else { nil } }
  }

  @Test("submitted twice it runs once; under the same name another manifest is refused")
  func idempotent() async throws {
    try await withTemporaryFolder { home in
      let manifest = try Manifests.sleeping(name: "twice", blocks: 2)
      var other = manifest
      other.seed = 99
      let messages = try converse(home, [submit(manifest), submit(manifest), submit(other), attach(manifest)])
      #expect(messages.contains(.accepted(Accepted(job: manifest.id, alreadyKnown: false))))
      #expect(messages.contains(.accepted(Accepted(job: manifest.id, alreadyKnown: true))))
      let refusals = messages.compactMap { if case .refused(let refused) = $0 { refused.problem.what } else { nil } }
      #expect(refusals.count == 1)
      #expect(refusals.first?.contains("another job") == true)
      let events = try events(messages)
      #expect(events.count { if case .started = $0 { true } else { false } } == 1)
      #expect(events.count { if case .sample = $0 { true } else { false } } == 4)
      guard case .finished(let finished) = events.last else {
        Issue.record("the last event is \(String(describing: events.last))")
        return
      }
      #expect(finished.outcome == .done, "\(String(describing: finished.problem))")
    }
  }

  @Test("while another job measures it waits and says for whom, then runs")
  func queued() async throws {
    try await withTemporaryFolder { home in
      var lock = FileLock(path: home + "/lock", create: true)
      #expect(lock?.tryLock() == true)
      lock?.write("job-before of somebody")
      let manifest = try Manifests.sleeping(name: "waits", blocks: 1)
      let accepted = try converse(home, [submit(manifest)])
      #expect(accepted == [.accepted(Accepted(job: manifest.id, alreadyKnown: false))])
      let journal = JobFolder(manifest.id, in: AgentHome(environment: ["CF_BENCH_HOME": home])).journal
      try await waitUntil {
        try String(contentsOfFile: journal, encoding: .utf8).contains("\"type\":\"queued\"")
      }
      lock = nil
      let events = try events(try converse(home, [attach(manifest)]))
      #expect(events.contains(.queued(Queued(holder: "job-before of somebody", ahead: 1))))
      #expect(events.contains { if case .sample = $0 { true } else { false } })
    }
  }

  @Test("a job that may not wait any longer ends with the reason")
  func queueLimit() async throws {
    try await withTemporaryFolder { home in
      let lock = try #require(FileLock(path: home + "/lock", create: true))
      #expect(lock.tryLock())
      let manifest = try Manifests.sleeping(name: "gives-up", blocks: 1, queueSeconds: 0.1)
      let messages = try converse(home, [submit(manifest), attach(manifest)])
      withExtendedLifetime(lock) {}
      let events = try events(messages)
      guard case .finished(let finished) = events.last else {
        Issue.record("the last event is \(String(describing: events.last))")
        return
      }
      #expect(finished.outcome == .failed)
      #expect(finished.problem?.fix.contains("limits.queue") == true)
    }
  }

  @Test("cancelled it ends at once, with a last word and without a process left")
  func cancelled() async throws {
    try await withTemporaryFolder { home in
      let manifest = try Manifests.sleeping(name: "cancelled", blocks: 1000)
      _ = try converse(home, [submit(manifest)])
      let folder = JobFolder(manifest.id, in: AgentHome(environment: ["CF_BENCH_HOME": home]))
      try await waitUntil {
        try String(contentsOfFile: folder.journal, encoding: .utf8).contains("\"type\":\"sample\"")
      }
      let messages = try converse(home, [.cancel(CancelRequest(job: manifest.id)), attach(manifest)])
      #expect(messages.contains(.cancelled(Cancelled(job: manifest.id, wasRunning: true))))
      guard case .finished(let finished) = try events(messages).last else {
        Issue.record("no last word")
        return
      }
      #expect(finished.outcome == .cancelled)
      try await waitUntil { !(folder.hasRunner) }
    }
  }

  @Test("the order of the sides is balanced in each block, random over blocks, and the same for the same seed")
  func order() {
    func orders(seed: UInt64, _ design: BlockDesign = .balanced) -> [[Arm]] {
      var order = BlockOrder(seed: seed, layer: .startup, python: "3.12", sides: [.base, .head], design: design)
      return (0..<300).map { order.block($0).order }
    }
    let first = orders(seed: 7)
    #expect(first == orders(seed: 7))
    #expect(first != orders(seed: 8))
    let counts = Dictionary(grouping: first) { $0 }.mapValues(\.count)
    #expect(counts.count == 6 && counts.keys.allSatisfy { $0.count { $0 == .base } == 2 })
    #expect(counts.values.allSatisfy { (20...85).contains($0) }, "\(counts)")
    let mirrored = orders(seed: 7, .mirrored)
    #expect(Set(mirrored) == [[.base, .head, .head, .base], [.head, .base, .base, .head]])
    #expect((100...200).contains(mirrored.count { $0[0] == .base }))
  }

  @Test("one block of three has the control arm, never the first, and sides and control are balanced in it")
  func copies() {
    var order = BlockOrder(seed: 3, layer: .startup, python: "3.12", sides: [.base, .head], copyEvery: 3)
    let orders = (0..<300).map { order.block($0).order }
    for group in 0..<100 {
      let withCopy = (0..<3).filter { orders[group * 3 + $0].contains(.copy) }
      #expect(withCopy.count == 1 && withCopy != [0])
    }
    let copies = orders.filter { $0.contains(.copy) }
    for arm in [Arm.base, .head, .copy] { #expect(copies.allSatisfy { $0.count { $0 == arm } == 2 }) }
    // Whatever the places of the control, the other two stand in any order.
    let others = Dictionary(grouping: copies.map { $0.filter { $0 != .copy } }) { $0 }
    #expect(others.count == 6 && others.values.allSatisfy { $0.count > 4 })
  }

  @Test("where a run is dear one block of six has the control arm, in the second half of its six")
  func rareCopies() {
    var order = BlockOrder(seed: 3, layer: .optimize, python: "3.12", sides: [.base, .head], copyEvery: 6)
    let orders = (0..<60).map { order.block($0).order }
    for group in 0..<10 {
      let withCopy = (0..<6).filter { orders[group * 6 + $0].contains(.copy) }
      #expect(withCopy.count == 1 && (withCopy.first ?? 0) >= 3)
    }
  }

  @Test("what moves speed by chance is the same within a block and differs between blocks")
  func surroundings() {
    let blocks = (0..<50).map { EnvironmentRandomization(seed: 9, block: $0) }
    #expect(blocks == (0..<50).map { EnvironmentRandomization(seed: 9, block: $0) })
    #expect(Set(blocks.map(\.hashSeed)).count == 50)
    #expect(Set(blocks.map(\.padding)).count > 40 && blocks.allSatisfy { $0.padding < 4096 })
    #expect(Set(blocks.map(\.folder)).count > 10)
  }
}
