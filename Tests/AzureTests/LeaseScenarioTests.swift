import Foundation
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Azure

@Suite(
  "A VM is on for as long as somebody needs it, and then off: scenarios at a model of Azure", .timeLimit(.minutes(10)))
struct LeaseScenarioTests {
  @Test("a run starts the VM, has it, and stops it; the lease stands before the start is asked for")
  func run() async throws {
    try await AzureModel.run { model in
      let alice = ModelController("alice", model)
      let end = try await alice.run(for: .seconds(60))
      #expect(end.outcome == .deallocated && end.left == [])
      #expect((70...200).contains(end.seconds))
      alice.expectClean()
      #expect(model.powers == [.starting, .running, .deallocating, .deallocated])
      let calls = model.calls
      let lease = try #require(
        calls.firstIndex { $0.contains("--operation merge") && $0.contains("cf-bench-lease-alice=") })
      let start = try #require(calls.firstIndex { $0.hasPrefix("vm start") })
      #expect(lease < start)
      let use = try #require(alice.uses.first)
      #expect(use.outcome == .deallocated && abs(use.seconds - end.seconds) < 1 && alice.uses.count == 1)
      #expect(alice.notes.contains("starting the VM CF-BENCH-RG/cf-bench (Standard_D4s_v5, westus2)"))
      #expect(alice.notes.contains("port 22 is open for 203.0.113.7/32"))
      // The month's sum at the VM.
      #expect(model.vm?.tags["cf-bench-month"]?.hasPrefix("2027-01=") == true)
    }
  }

  @Test("start leaves it on under a lease, a run then uses it and leaves it on, stop ends it")
  func kept() async throws {
    try await AzureModel.run { model in
      let alice = ModelController("alice", model)
      let held = try await alice.scope("keep", kind: .keep).start()
      #expect(!held.wasOn && alice.intents == [])
      #expect(try await alice.run("run").outcome.words.hasPrefix("left on for alice@desk (until 2027-01-15T09:00:0"))
      #expect(model.power == .running && model.leases == ["cf-bench-lease-keep"])
      #expect(try await alice.stop() == .deallocated)
      alice.expectClean()
    }
  }

  @Test("--keep-running leaves it on after a run, for as long as was said; the next reap after that stops it")
  func keepRunning() async throws {
    try await AzureModel.run { model in
      let (alice, bob) = (ModelController("alice", model), ModelController("bob", model))
      let end = try await alice.run(keepRunning: .seconds(600))
      guard case .kept(let until) = end.outcome else { throw Unexpected(what: "\(end)") }
      #expect(alice.intents == [] && model.power == .running)
      #expect(model.vm?.tags["cf-bench-lease-alice"]?.contains("kind=keep") == true)
      #expect(try await bob.reap() == [])
      #expect(model.power == .running)
      try await model.time.sleep(for: .seconds(until.timeIntervalSince(model.time.date) + Lease.grace + 1))
      #expect(try await bob.reap().map(\.result) == ["deallocated"])
      bob.expectClean()
    }
  }

  @Test("stop ends one's own keeping only; forced, everybody's")
  func force() async throws {
    try await AzureModel.run { model in
      let (alice, bob) = (ModelController("alice", model), ModelController("bob", model))
      _ = try await alice.scope("keep", kind: .keep).start()
      #expect(try await bob.stop().words.hasPrefix("left on for alice@desk"))
      #expect(model.power == .running && bob.intents == [])
      #expect(try await bob.stop(isForced: true) == .deallocated)
      bob.expectClean()
    }
  }

  @Test("two controllers at any two moments: nobody's VM goes off under them, and the last one to end leaves it off")
  func two() async throws {
    // In 133 both end at once.
    for seed in Array(0..<(Thoroughness.isFull ? 300 : 40)) + [133] as [UInt64] {
      try await AzureModel.run(seed: seed) { model in
        var random = SeededRandom(state: seed)
        let (alice, bob) = (ModelController("alice", model), ModelController("bob", model))
        let delay = Duration.milliseconds(Int.random(in: 0...120_000, using: &random))
        let (first, second) = (Int.random(in: 0...60, using: &random), Int.random(in: 0...60, using: &random))
        async let one = alice.run(for: .seconds(first))
        try await model.time.sleep(for: delay)
        _ = try await bob.run(for: .seconds(second))
        _ = try await one
        alice.expectClean("seed \(seed)")
        #expect(bob.intents == [], "seed \(seed)")
      }
    }
  }

  @Test("a controller that wakes up when its lease is over and taken away does not stop another's VM")
  func stale() async throws {
    try await AzureModel.run { model in
      let (alice, bob) = (ModelController("alice", model), ModelController("bob", model))
      let end = try await alice.scope("alice").with { _ in
        // As after a long sleep of a laptop.
        try await model.time.sleep(for: .seconds(3600 + Lease.grace + 60))
        #expect(try await bob.reap().map(\.result) == ["deallocated"])
        _ = try await bob.scope("bob", kind: .keep).start()
      }.end
      guard case .leftOn(let others) = end.outcome else { throw Unexpected(what: "\(end)") }
      #expect(others.hasPrefix("bob@desk"))
      #expect(model.power == .running && model.leases == ["cf-bench-lease-bob"] && alice.intents == [])
    }
  }

  @Test("a stop that somebody else has begun is waited for, and the VM is started again after it")
  func overtaken() async throws {
    try await AzureModel.run { model in
      let (alice, bob) = (ModelController("alice", model), ModelController("bob", model))
      async let first = alice.run(for: .seconds(5))
      while !model.calls.contains(where: { $0.hasPrefix("vm deallocate") }) {
        try await model.time.sleep(for: .seconds(1))
      }
      #expect(try await bob.run().outcome == .deallocated)
      _ = try await first
      #expect(bob.notes.contains("another run is stopping the VM"))
      bob.expectClean()
      #expect(model.powers.filter { $0 == .running }.count == 2)
    }
  }

  @Test("a cancel at any call has the stop asked for within five seconds, and nothing is left")
  func cancelled() async throws {
    let calls = try await callsOfRun()
    #expect(calls > 8)
    for call in 1...calls {
      try await AzureModel.run { model in
        let alice = ModelController("alice", model)
        let work = Task(executorPreference: model.time) { try await alice.run(for: .seconds(20)) }
        while model.calls.count < call { try await model.time.sleep(for: .milliseconds(100)) }
        let (asked, hasLease) = (model.calls.count { $0.hasPrefix("vm deallocate") }, !alice.intents.isEmpty)
        work.cancel()
        if asked == 0, hasLease {
          try await model.time.sleep(for: .seconds(5))
          #expect(model.calls.contains { $0.hasPrefix("vm deallocate") } || alice.intents == [], "call \(call)")
        }
        // Once it is being given back anyway, the cancel comes too late to be told.
        do { _ = try await work.value } catch is CancellationError {} catch { Issue.record("call \(call): \(error)") }
        alice.expectClean("call \(call)")
      }
    }
  }

  /// How many calls a run makes that nobody disturbs.
  private func callsOfRun() async throws -> Int {
    let count = Mutex(0)
    try await AzureModel.run { model in
      try await ModelController("alice", model).run(for: .seconds(20))
      count.withLock { $0 = model.calls.count }
    }
    return count.withLock { $0 }
  }

  @Test(
    "a kill at any call, taken or not: the next command of that machine, or anybody's reap after the lease, leaves it off"
  )
  func killed() async throws {
    for call in 1...(try await callsOfRun()) {
      for (isDone, isReaped) in [(false, false), (true, false), (true, true)] {
        try await AzureModel.run { model in
          let comment: Comment = "call \(call), taken \(isDone), reaped \(isReaped)"
          model.state.withLock { $0.victim = ("alice", call, isDone) }
          let alice = ModelController("alice", model)
          let work = Task(executorPreference: model.time) { try await alice.run(for: .seconds(20)) }
          defer { work.cancel() }
          while !model.state.withLock({ $0.dead.contains("alice") }) { try await model.time.sleep(for: .seconds(1)) }
          let next = ModelController("next", model, disk: isReaped ? "next" : "alice-after")
          if isReaped {
            try await model.time.sleep(for: .seconds(3600 + Lease.grace + 1))
            let findings = try await next.reap()
            #expect(findings.allSatisfy { !$0.isFailure }, comment)
            // A lease stands before the start; where there is none, there is nothing that reap could know the VM by.
            if !findings.isEmpty || call > 2 { next.expectClean(comment) }
          } else {
            let findings = try await next.settle()
            #expect(findings.allSatisfy { !$0.isFailure }, comment)
            next.expectClean(comment)
          }
        }
      }
    }
  }

  @Test("with a job of somebody else at the VM it stays on, though no lease speaks for it")
  func othersJob() async throws {
    try await AzureModel.run { model in
      let alice = ModelController("alice", model)
      var scope = alice.scope("alice")
      scope.hooks.otherJobs = { _, _ in ["bob@desk, whose job is waiting there"] }
      let end = try await scope.with { _ in }.end
      #expect(end.outcome == .leftOn("bob@desk, whose job is waiting there"))
      #expect(model.power == .running && model.leases == [] && model.rules == [] && alice.intents == [])
    }
  }
}

/// Something that the scenario is not about.
struct Unexpected: Error { var what: String }
