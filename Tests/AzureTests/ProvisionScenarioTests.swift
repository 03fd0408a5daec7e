import Foundation
import Shared
import Synchronization
import Testing
import Tools

@testable import Azure

@Suite(
  "Provisioning ends with a VM that is off, whatever happens on the way: scenarios at a model of Azure",
  .timeLimit(.minutes(10)))
struct ProvisionScenarioTests {
  private static let key = "ssh-ed25519 AAAA"
  private static let failedGuest =
    #"{"status": "error", "errors": "", "isDone": false, "step": "hyperfine", "words": "no pinned SHA-256", "hostKey": "ssh-ed25519 AAAA"}"#

  private static func provisioner(
    _ alice: ModelController, refreshes: Bool = false, trusted: String? = nil
  ) throws -> Provisioner {
    let settings = alice.client.settings
    let data = try CustomData(cloudConfig: "#cloud-config\n", source: "x", limits: settings.watchdog)
    let spec = MachineSpec(settings: settings, publicKey: "/key.pub", cloudInit: "/cloud-init.yaml", customData: data)
    return Provisioner(
      client: alice.client, spec: spec, run: "provision-\(alice.name)", owner: "\(alice.name)@desk",
      refreshes: refreshes, trusted: trusted, note: { alice.note($0) })
  }

  @discardableResult
  private static func provision(
    _ alice: ModelController, refreshes: Bool = false, trusted: String? = nil
  ) async throws -> Provisioner.Made {
    try await provisioner(alice, refreshes: refreshes, trusted: trusted)
      .provision(prepare: { _ in }, learned: { #expect($0 == key) }, whenOn: {})
  }

  private static func deprovision(_ alice: ModelController, isForced: Bool = false) async throws -> [String] {
    let remover = Deprovisioner(
      client: alice.client, isForced: isForced, owner: "\(alice.name)@desk", note: { alice.note($0) })
    let plan = try await remover.plan()
    try await remover.carryOut(plan)
    return plan.things
  }

  /// Calls that change something, without what they are told.
  private static func changes(_ model: AzureModel) -> [String] {
    let looks = ["show", "list", "get-instance-view"]
    return model.calls.map { String($0[..<($0.firstRange(of: " --")?.lowerBound ?? $0.endIndex)]) }
      .filter { words in !looks.contains { words.hasSuffix($0) } }
  }

  @Test(
    "from nothing to a VM that is off and known, by the calls of the dry run; again, and nothing is made; and removed")
  func fromNothing() async throws {
    try await AzureModel.run(isProvisioned: false) { model in
      let alice = ModelController("alice", model)
      let (dry, isThere) = try await Self.provisioner(alice).dryRun()
      #expect(!isThere && Self.changes(model) == [])
      let made = try await Self.provision(alice)
      #expect(made.end == .deallocated && made.hostKey == Self.key && made.done.count == 9)
      alice.expectClean()
      let tags = try #require(model.vm?.tags)
      #expect(tags["cf-bench-host-key"] == Self.key && tags["cf-bench-ready"] == Version.current)
      let changes = Self.changes(model)
      #expect(changes.count > 12)
      for call in changes { #expect(dry.contains { $0.contains("az \(call) ") }, "\(call)") }

      let again = try await Self.provision(alice)
      #expect(again.done == [] && again.end == nil && Self.changes(model) == changes)
      #expect(try await Self.deprovision(alice).last == "the resource group CF-BENCH-RG")
      #expect(model.vm == nil && model.state.withLock(\.things) == [])
      #expect(try await Self.deprovision(alice) == [])
    }
  }

  @Test("a first boot that fails says which step and why, and the VM is stopped; the next provision repeats the steps")
  func bootFails() async throws {
    try await AzureModel.run(isProvisioned: false) { model in
      let alice = ModelController("alice", model)
      model.state.withLock { $0.guest = Self.failedGuest }
      let failure = await #expect(throws: GuestFailure.self) { try await Self.provision(alice) }
      #expect(failure?.what.contains("failed at the step 'hyperfine'") == true && failure?.why == "no pinned SHA-256")
      alice.expectClean()
      #expect(model.vm?.tags["cf-bench-host-key"] == nil)
      model.state.withLock { $0.isMendedByRepeating = true }
      let made = try await Self.provision(alice)
      #expect(made.done == [] && alice.notes.contains("running the steps inside again"))
      alice.expectClean()
    }
  }

  @Test(
    "a step that Azure refuses ends with its words, nothing is left on or claimed, and the next provision goes on",
    arguments: [
      ("vm create", "SkuNotAvailable", "can't be had in the region"), ("vm create", "QuotaExceeded", "quota"),
      ("role assignment create", "AuthorizationFailed", "may not do that: making that role for the VM's own identity"),
      ("network nic create", "AuthorizationFailed", "may not do that: making the network interface"),
    ])
  func refused(call: String, code: String, words: String) async throws {
    try await AzureModel.run(isProvisioned: false) { model in
      let alice = ModelController("alice", model)
      model.fault(.refused(call, code))
      // A new identity is not known everywhere at once.
      model.fault(.refused("role assignment create", "PrincipalNotFound", times: 1))
      var failure: Problem?
      do { try await Self.provision(alice) } catch let error as any UserFacingError { failure = error.problem }
      #expect(failure?.what.contains(words) == true, "\(failure?.what ?? "")")
      if code == "AuthorizationFailed" { #expect(failure?.fix.contains("\naz \(call) ") == true) }
      #expect(alice.intents == [] && model.leases == [])
      #expect(model.vm == nil || model.power == .deallocated)
      model.endFaults()
      let made = try await Self.provision(alice)
      #expect(made.end == .deallocated && made.done.count < 9)
      alice.expectClean()
    }
  }

  @Test("a cancel at any call waits for the VM that Azure may still be making, and leaves nothing on")
  func cancelled() async throws {
    try await everyCall { model, call in
      let alice = ModelController("alice", model)
      let work = Task(executorPreference: model.time) { try await Self.provision(alice) }
      while model.calls.count < call { try await model.time.sleep(for: .milliseconds(100)) }
      work.cancel()
      do { _ = try await work.value } catch is CancellationError {} catch { Issue.record("call \(call): \(error)") }
      #expect(alice.intents == [] && model.rules == [] && model.leases == [], "call \(call)")
      // Azure may make it later than that.
      try await model.time.sleep(for: .seconds(600))
      #expect(model.vm == nil || model.power == .deallocated, "call \(call)")
    }
  }

  @Test("a kill at any call, taken or not: the next command of that machine leaves nothing on")
  func killed() async throws {
    try await everyCall { model, call in
      model.state.withLock { $0.victim = ("alice", call, Bool.random(using: &$0.random)) }
      let alice = ModelController("alice", model)
      let work = Task(executorPreference: model.time) { try await Self.provision(alice) }
      defer { work.cancel() }
      while !model.state.withLock({ $0.dead.contains("alice") }) { try await model.time.sleep(for: .seconds(1)) }
      let next = ModelController("next", model, disk: "alice-after")
      let findings = try await next.settle()
      #expect(findings.allSatisfy { !$0.isFailure }, "call \(call)")
      try await model.time.sleep(for: .seconds(600))
      #expect(next.intents == [] && model.leases == [], "call \(call)")
      #expect(model.vm == nil || model.power == .deallocated, "call \(call)")
    }
  }

  /// A scenario for each call that a provisioning makes which nobody disturbs.
  private func everyCall(_ body: @escaping @Sendable (AzureModel, Int) async throws -> Void) async throws {
    let count = Mutex(0)
    try await AzureModel.run(isProvisioned: false) { model in
      try await Self.provision(ModelController("alice", model))
      count.withLock { $0 = model.calls.count }
    }
    let all = count.withLock { $0 }
    #expect(all > 20)
    for call in 1...all {
      try await AzureModel.run(seed: UInt64(call), isProvisioned: false) { model in try await body(model, call) }
    }
  }

  @Test("a firewall, an interface's place behind it and a right that were taken away are there again, with the VM off")
  func mended() async throws {
    try await AzureModel.run(isProvisioned: false) { model in
      let alice = ModelController("alice", model)
      try await Self.provision(alice)
      model.state.withLock { state in
        state.things.subtract(["network nsg cf-bench-nsg", "role assignment cf-bench deallocate cf-bench"])
        state.isInterfaceClosed = false
      }
      let powers = model.powers.count
      #expect(try await Self.provision(alice).done.count == 3)
      #expect(model.powers.count == powers && model.state.withLock(\.isInterfaceClosed))
      alice.expectClean()
    }
  }

  @Test("programs that were not brought are brought by the next one; a tag that names a strange key is not believed")
  func interrupted() async throws {
    try await AzureModel.run(isProvisioned: false) { model in
      let alice = ModelController("alice", model)
      let provisioner = try Self.provisioner(alice)
      await #expect(throws: Unexpected.self) {
        _ = try await provisioner.provision(
          prepare: { _ in }, learned: { _ in }, whenOn: { throw Unexpected(what: "nobody lets us in") })
      }
      alice.expectClean()
      #expect(model.vm?.tags["cf-bench-ready"] == nil)
      model.set(["cf-bench-host-key": "ssh-ed25519 FromSomebodyElse"])
      let made = try await Self.provision(alice)
      #expect(alice.notes.contains("were not all brought") && made.hostKey == Self.key)
      #expect(model.vm?.tags["cf-bench-host-key"] == Self.key)
      // With all there, the tag alone is strange.
      model.set(["cf-bench-host-key": "ssh-ed25519 FromSomebodyElse"])
      let dry = try await Self.provisioner(alice, trusted: Self.key).dryRun()
      #expect(dry.lines.contains { $0.contains("az vm start") })
      #expect(alice.notes.contains("another host key than the one kept here"))
    }
  }

  @Test(
    "deprovision refuses while somebody else has the VM, keeps a group that holds other things, and forced removes it")
  func deprovision() async throws {
    try await AzureModel.run { model in
      let (alice, bob) = (ModelController("alice", model), ModelController("bob", model))
      _ = try await bob.scope("bob", kind: .keep).start()
      model.state.withLock { _ = $0.things.insert("network nsg of-somebody-else") }
      let refusal = await #expect(throws: Problem.self) { try await Self.deprovision(alice) }
      #expect(refusal?.why?.hasPrefix("bob@desk has it until") == true && model.vm != nil)
      let removed = try await Self.deprovision(alice, isForced: true)
      #expect(removed.first == "the daily stop" && alice.notes.contains("stays: it also holds of-somebody-else"))
      #expect(model.vm == nil)
      #expect(model.state.withLock(\.things) == ["group CF-BENCH-RG", "network nsg of-somebody-else"])
    }
  }
}
