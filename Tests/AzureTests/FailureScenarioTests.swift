import Foundation
import Shared
import Synchronization
import Testing
import Tools

@testable import Azure

@Suite(
  "Every failure of Azure has its words, and leaves nothing on, open or claimed: scenarios at a model of Azure",
  .timeLimit(.minutes(10)))
struct FailureScenarioTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var faults: [AzureModel.Fault]
    var startLimit = Duration.seconds(600)
    /// Of the error, and of what was said meanwhile.
    var words: [String]
    /// `nil` for a start that comes to its end all the same.
    var status: Shared.ExitStatus? = .infrastructure
    var testDescription: String { name }
  }

  private static func said(_ call: String, _ words: String, times: Int = .max, isAfter: Bool = false)
    -> AzureModel.Fault
  {
    AzureModel.Fault(
      call: call, result: ChildTool.Output(.status(1), error: "ERROR: \(words)\n"), times: times, isAfter: isAfter)
  }

  static let cases: [Case] = [
    Case(
      name: "not signed in", faults: [said("vm", "Please run 'az login' to setup account.")],
      words: ["nobody is signed in to Azure", "az login", "--machine local"], status: .usage),
    Case(
      name: "another subscription",
      faults: [said("vm", "Subscription 'nope' not found. Check the spelling and casing and try again.")],
      words: ["no such subscription", "azure.subscription"], status: .usage),
    Case(
      name: "no VM", faults: [.refused("vm get-instance-view", "ResourceNotFound")],
      words: ["the VM is not there", "cf-bench provision"]),
    Case(
      name: "no role",
      faults: [
        .refused(
          "vm start", "AuthorizationFailed",
          "no authorization to perform action 'Microsoft.Compute/virtualMachines/start/action' over scope '/g'")
      ],
      words: [
        "may not do that", "lacks the action Microsoft.Compute/virtualMachines/start/action", "az role assignment",
      ]),
    Case(
      name: "size not available", faults: [.refused("vm start", "SkuNotAvailable")],
      words: ["can't be had in the region", "azure.size"]),
    Case(
      name: "a conflict that passes", faults: [.refused("vm start", "Conflict", times: 1)],
      words: ["busy with another operation: trying again in 1 s, for"], status: nil),
    Case(
      name: "a start that was preempted", faults: [.refused("vm start", "OperationPreempted", times: 1)],
      words: ["went first: trying again"], status: nil),
    Case(
      name: "too many requests, without end", faults: [.refused("vm start", "TooManyRequests")],
      startLimit: .seconds(60), words: ["slow down: trying again in 20 s"]),
    Case(
      name: "an answer that is lost after the start was taken",
      faults: [said("vm start", "('Connection aborted.', RemoteDisconnected('x'))", times: 1, isAfter: true)],
      words: ["trying again"], status: nil),
    Case(
      name: "a sign-in that has ended, without the right to renew it",
      faults: [said("vm start", "AADSTS700024: Client assertion is not within its valid time range.")],
      words: ["sign-in to Azure has ended", "id-token: write"]),
    Case(
      name: "az prints something new",
      faults: [AzureModel.Fault(call: "get-instance-view", result: ChildTool.Output(output: #"{"surprise": []}"#))],
      words: ["printed something that cf-bench does not understand", "az 2.91"]),
    Case(
      name: "az says nothing at all",
      faults: [AzureModel.Fault(call: "vm start", result: ChildTool.Output(.status(1)))],
      words: ["'az vm start' failed", "az ended with exit status 1 and said nothing", "az vm start --debug"]),
    Case(
      name: "az is killed", faults: [AzureModel.Fault(call: "vm start", result: ChildTool.Output(.signal(9)))],
      words: ["'az vm start' failed", "az was killed by signal 9"]),
    Case(
      name: "no port can be opened", faults: [.refused("rule create", "AuthorizationFailed", "no")],
      words: ["may not do that"]),
    Case(
      name: "a priority that is taken, and another that is free",
      faults: [.refused("rule create", "SecurityRuleConflict", times: 2)], words: ["port 22 is open"], status: nil),
  ]

  @Test("each failure of a start", arguments: cases)
  func failure(of row: Case) async throws {
    try await AzureModel.run { model in
      let alice = ModelController("alice", model) { $0.startLimit = row.startLimit }
      for fault in row.faults { model.fault(fault) }
      var problem: Problem?
      do { _ = try await alice.scope("alice", kind: .keep).start() } catch let error as any UserFacingError {
        problem = error.problem
      }
      let text = (problem?.rendered ?? "") + "\n" + alice.notes
      for words in row.words { #expect(text.contains(words), "\(text)") }
      #expect(!text.contains("AzureError("), "no Swift types")
      #expect(problem?.exitStatus == row.status)
      if row.status == nil {
        #expect(model.power == .running && model.leases == ["cf-bench-lease-alice"])
      } else {
        // What can't be asked for a moment can't be cleaned either.
        model.endFaults()
        #expect(try await alice.settle().allSatisfy { !$0.isFailure })
        alice.expectClean("\(text)")
      }
    }
  }

  @Test("a lack of room, which --no-wait hides, is waited for while the start's limit lasts, and then told")
  func noRoom() async throws {
    for passes in [true, false] {
      try await AzureModel.run { model in
        let alice = ModelController("alice", model) { $0.startLimit = .seconds(180) }
        model.state.withLock { $0.startFailure = "AllocationFailed" }
        if passes {
          async let run = alice.run()
          while model.powers.count < 3 { try await model.time.sleep(for: .seconds(1)) }
          model.state.withLock { $0.startFailure = nil }
          #expect(try await run.outcome == .deallocated)
        } else {
          await #expect(throws: StartTooLate.self) { try await alice.run() }
        }
        #expect(
          alice.notes.contains("Azure has no room for this VM at the moment: trying again in 30 s, for 3 min at most"))
        alice.expectClean()
      }
    }
  }

  @Test("Azure that fails for a quarter of an hour when the VM is to be stopped is waited for")
  func failsForAWhile() async throws {
    try await AzureModel.run { model in
      let alice = ModelController("alice", model)
      model.fault(.refused("vm deallocate", "InternalServerError", times: 20))
      let end = try await alice.run()
      #expect(end.outcome == .deallocated)
      #expect(alice.notes.contains("a fault of its own: trying again in 30 s"))
      alice.expectClean()
    }
  }

  @Test(
    "a VM that is on again after its deallocation was taken is asked to stop once more, and a lost answer is no harm")
  func onAgain() async throws {
    try await AzureModel.run { model in
      let alice = ModelController("alice", model)
      // Taken, and without effect: another hand was quicker.
      model.fault(AzureModel.Fault(call: "vm deallocate", result: ChildTool.Output(), times: 1))
      let end = try await alice.run()
      #expect(end.outcome == .deallocated)
      #expect(model.calls.count { $0.hasPrefix("vm deallocate") } == 2)
      alice.expectClean()
    }
  }

  @Test("a stop that fails for good says that money is being spent, keeps the intent, and the next reap mends it")
  func stopFails() async throws {
    try await AzureModel.run { model in
      let alice = ModelController("alice", model)
      model.fault(.refused("vm deallocate", "SomethingNew"))
      let failure = await #expect(throws: StopFailure.self) { try await alice.run() }
      #expect(failure?.what.contains("could not be stopped and may still be on: it costs money") == true)
      #expect(failure?.fix.contains("az vm deallocate --resource-group CF-BENCH-RG --name cf-bench") == true)
      #expect(alice.intents.map(\.phase) == [.stopping] && model.power == .running)
      let failed = try await alice.reap()
      #expect(failed.map(\.isFailure) == [true])
      #expect(alice.intents.count == 1)
      model.endFaults()
      #expect(try await alice.reap().map(\.result) == ["deallocated"])
      alice.expectClean()
      #expect(try await alice.reap() == [])
    }
  }

  @Test("a VM that was deleted meanwhile is nobody's matter any more")
  func deleted() async throws {
    try await AzureModel.run { model in
      let alice = ModelController("alice", model)
      let end = try await alice.scope("alice").with { _ in model.state.withLock { $0.vms = [:] } }.end
      #expect(end.outcome == .nothingToDo("the VM is gone") && alice.intents == [])
    }
  }
}

@Suite("A VM that is off costs nothing, whatever can't be removed beside it", .timeLimit(.minutes(10)))
struct LeftoverTests {
  private static let lock = "The scope can't perform delete operation because the following scope(s) are locked"

  @Test(
    "a rule or a tag that can't be removed is no failure: said with its why and the line that removes it; later commands do",
    arguments: [
      ("rule delete", "the firewall rule cf-bench-alice", "az network nsg rule delete"),
      (
        "--operation delete", "the VM's tags cf-bench-lease-alice, cf-bench-stopping",
        "az tag update --operation delete"
      ),
    ])
  func stays(call: String, thing: String, line: String) async throws {
    try await AzureModel.run { model in
      let alice = ModelController("alice", model)
      model.fault(.refused(call, "ScopeLocked", Self.lock))
      let end = try await alice.run()
      #expect(end.outcome == .deallocated && model.power == .deallocated)
      let words = try #require(end.left.first?.words)
      #expect(end.left.count == 1 && alice.notes.contains(words) && !alice.notes.contains("costs money"))
      #expect(words.hasPrefix("\(thing) could not be removed: "), "\(words)")
      #expect(
        words.contains("ScopeLocked") && words.contains("The next cf-bench command tries again; by hand: \(line)"))
      #expect(alice.uses.map(\.outcome) == [.deallocated])

      // The next commands say so again, and do what they are for.
      let again = try await alice.settle()
      #expect(again.map(\.isFailure) == [false])
      #expect(again.first?.result.hasPrefix("given back by an earlier command; \(thing)") == true, "\(again)")
      #expect(try await alice.reap().allSatisfy { !$0.isFailure })
      #expect(try await alice.run("second").outcome == .deallocated)
      #expect(
        alice.notes.contains("-second could not be removed")
          || alice.notes.contains("-second, cf-bench-stopping could not be"))
      #expect(alice.intents.map(\.words) == ["given back, not yet tidied up", "given back, not yet tidied up"])

      model.endFaults()
      let deallocations = model.calls.count { $0.hasPrefix("vm deallocate") }
      #expect(try await alice.settle().map(\.result) == Array(repeating: "given back by an earlier command", count: 2))
      alice.expectClean()
      #expect(model.calls.count { $0.hasPrefix("vm deallocate") } == deallocations)
      #expect(alice.uses.count == 2)
    }
  }

  @Test("what is tidied up later does not stop a VM that somebody else has by then")
  func othersByThen() async throws {
    try await AzureModel.run { model in
      let (alice, bob) = (ModelController("alice", model), ModelController("bob", model))
      model.fault(.refused("rule delete", "ScopeLocked", Self.lock, times: 1))
      _ = try await alice.run()
      _ = try await bob.scope("bob", kind: .keep).start()
      #expect(try await alice.settle().map(\.result) == ["given back by an earlier command"])
      #expect(model.power == .running && model.rules == ["cf-bench-bob"] && alice.intents == [])
    }
  }

  @Test("stop stops, though neither the leases that it ends nor their rules can be removed")
  func manual() async throws {
    try await AzureModel.run { model in
      let alice = ModelController("alice", model)
      _ = try await alice.scope("keep", kind: .keep).start()
      model.fault(.refused("delete", "ScopeLocked", Self.lock))
      #expect(try await alice.stop() == .deallocated)
      #expect(model.power == .deallocated && !alice.notes.contains("costs money"))
      #expect(alice.notes.contains("the firewall rule cf-bench-keep could not be removed"))
      model.endFaults()
      _ = try await alice.settle()
      #expect(model.leases == ["cf-bench-lease-keep"])
      // What the intent does not name goes with its own end.
      try await model.time.sleep(for: .seconds(3600 + Lease.grace + 1))
      #expect(try await alice.reap().allSatisfy { !$0.isFailure })
      alice.expectClean()
    }
  }
}
