import Foundation
import Shared
import Synchronization
import TestSupport
import Tools

@testable import Azure

/// Azure in this process, as far as cf-bench uses it, behind the door where `az` is: it takes the arguments of `az`, and answers
/// with what `az` prints. Time is ``VirtualTime``. That the real `az` asks for the same things is shown by a few end-to-end tests.
final class AzureModel: Sendable {
  struct VM {
    var tags: [String: String] = [:]
    var power = VMView.Power.deallocated
    /// What it turns into by itself, and when.
    var next: (power: VMView.Power, at: Duration)?
    var failure: String?
    var hasIdentity = true
    var runningSince: Duration?
    var size = "Standard_D4s_v5"
  }

  /// What becomes of calls whose words contain `call`.
  struct Fault: Sendable {
    var call: String
    var result: ChildTool.Output
    /// How many calls it lets pass before, and how many it concerns.
    var skip = 0
    var times = Int.max
    /// The call takes effect, and its answer is lost.
    var isAfter = false

    static func refused(
      _ call: String, _ code: String, _ message: String = "no", skip: Int = 0, times: Int = .max, isAfter: Bool = false
    ) -> Fault {
      Fault(call: call, result: AzureModel.refusal(code, message), skip: skip, times: times, isAfter: isAfter)
    }
  }

  struct Rule: Sendable, Equatable {
    var priority: String
    var source: String
    var description: String
  }

  struct State {
    var vms: [String: VM] = [:]
    var rules: [String: Rule] = [:]
    /// All else that was made: `network vnet cf-bench-vnet`.
    var things: Set<String> = []
    /// Whether the network interface has its firewall.
    var isInterfaceClosed = true
    /// A VM that is being made, and when it is there.
    var creation: (vm: String, tags: [String: String], at: Duration)?
    var faults: [Fault] = []
    /// Who made which call, in order.
    var calls: [(who: String, words: String)] = []
    var powers: [VMView.Power] = []
    /// What the guest says of its first boot.
    var guest = Self.readyGuest
    static let readyGuest =
      #"{"status": "done", "errors": "", "isDone": true, "step": null, "words": "", "hostKey": "ssh-ed25519 AAAA"}"#
    /// The steps inside go well when they are run again.
    var isMendedByRepeating = false
    var startFailure: String?
    var random = SeededRandom(state: 1)
    /// The controller that is killed at its call of that number, and what it leaves on its disk.
    var victim: (who: String, call: Int, isDone: Bool)?
    var dead: Set<String> = []
  }

  let time: VirtualTime
  let folder: String
  let state: Mutex<State>
  /// How long Azure takes.
  let (startTime, bootTime, stopTime) = (Duration.seconds(20), Duration.seconds(10), Duration.seconds(15))
  static let prefix = "/subscriptions/S/resourceGroups/CF-BENCH-RG/providers"

  private init(folder: String, seed: UInt64) {
    time = VirtualTime()
    self.folder = folder
    var first = State()
    first.random = SeededRandom(state: seed)
    state = Mutex(first)
  }

  /// A model for the length of a scenario, which may last hours of its own time.
  /// - Parameter isProvisioned: whether there is a VM, off.
  static func run(
    seed: UInt64 = 1, isProvisioned: Bool = true, _ body: @escaping @Sendable (AzureModel) async throws -> Void
  ) async throws {
    try await withMemoryFolder { folder in
      let model = AzureModel(folder: folder, seed: seed)
      if isProvisioned {
        model.state.withLock { state in
          state.vms["cf-bench"] = VM(tags: ["cf-bench": Version.current, "cf-bench-host-key": "ssh-ed25519 AAAA"])
          state.things = ["group CF-BENCH-RG"]
          state.things.formUnion(model.provisioned)
        }
      }
      try await model.time.run { try await body(model) }
    }
  }

  private var provisioned: [String] {
    [
      "network nsg cf-bench-nsg", "network vnet cf-bench-vnet", "network public-ip cf-bench-ip",
      "network nic cf-bench-nic", "disk cf-bench-disk", "schedule shutdown-computevm-cf-bench",
      "role definition cf-bench deallocate cf-bench", "role assignment cf-bench deallocate cf-bench",
    ]
  }

  static func refusal(_ code: String, _ message: String) -> ChildTool.Output {
    ChildTool.Output(
      .status(code.hasSuffix("NotFound") ? 3 : 1),
      error: "ERROR: (\(code)) \(message)\nCode: \(code)\nMessage: \(message)\n")
  }

  // MARK: What tests look at and set

  func fault(_ fault: Fault) { state.withLock { $0.faults.append(fault) } }
  func endFaults() { state.withLock { $0.faults = [] } }
  func set(_ tags: [String: String]) { state.withLock { $0.vms["cf-bench"]?.tags.merge(tags) { $1 } } }
  var vm: VM? { state.withLock { settled(&$0).vms["cf-bench"] } }
  var power: VMView.Power { vm?.power ?? .unknown }
  var leases: [String] { (vm?.tags.keys.filter { $0.hasPrefix(Lease.prefix) } ?? []).sorted() }
  var rules: [String] { state.withLock { $0.rules.keys.sorted() } }
  var calls: [String] { state.withLock { $0.calls.map(\.words) } }
  var powers: [VMView.Power] { state.withLock { settled(&$0).powers } }

  /// Whether SSH answers there.
  var answers: Bool {
    let ready = vm.flatMap { vm in vm.power == .running ? vm.runningSince.map { $0 + bootTime } : nil }
    return ready.map { $0 <= time.now.sinceStart } ?? false
  }

  // MARK: The door

  /// One call of `az`: on its way, in Azure, and on its way back.
  func call(_ arguments: [String], by who: String) async throws -> ChildTool.Output {
    let words = arguments.joined(separator: " ")
    let (there, back, isVictim) = state.withLock { state in
      state.calls.append((who, words))
      let number = state.calls.count { $0.who == who }
      let isVictim = state.victim.map { $0.who == who && $0.call == number } ?? false
      return (
        Int.random(in: 200...1500, using: &state.random), Int.random(in: 50...500, using: &state.random), isVictim
      )
    }
    try await hangIfDead(who)
    try await time.sleep(for: .milliseconds(there))
    try await hangIfDead(who)
    if isVictim { try await die(who, arguments) }
    let output = take(arguments, words)
    try await time.sleep(for: .milliseconds(back) + (output.succeeded ? waits(words) : .zero))
    try await hangIfDead(who)
    return output
  }

  /// What az itself waits for.
  private func waits(_ words: String) -> Duration {
    if words.hasPrefix("vm create") { return startTime }
    return words.hasPrefix("vm run-command") ? .seconds(30) : .zero
  }

  /// What a killed controller would do next never happens.
  private func hangIfDead(_ who: String) async throws {
    guard state.withLock({ $0.dead.contains(who) }) else { return }
    await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
  }

  /// The controller is killed: its disk is as it is now, and the call it is in has taken effect or has not.
  private func die(_ who: String, _ arguments: [String]) async throws {
    let isDone = state.withLock { state in
      state.dead.insert(who)
      return state.victim?.isDone ?? false
    }
    if FileManager.default.fileExists(atPath: "\(folder)/\(who)") {
      try FileManager.default.copyItem(atPath: "\(folder)/\(who)", toPath: "\(folder)/\(who)-after")
    }
    if isDone { _ = take(arguments, arguments.joined(separator: " ")) }
    try await hangIfDead(who)
  }

  /// What Azure makes of it, in one step.
  private func take(_ arguments: [String], _ words: String) -> ChildTool.Output {
    state.withLock { state in
      _ = settled(&state)
      for index in state.faults.indices where words.contains(state.faults[index].call) {
        if state.faults[index].skip > 0 {
          state.faults[index].skip -= 1
        } else if state.faults[index].times > 0 {
          state.faults[index].times -= 1
          if state.faults[index].isAfter {
            _ = AzureModelCall(arguments, self, now: time.now.sinceStart).answer(&state)
          }
          return state.faults[index].result
        }
      }
      return AzureModelCall(arguments, self, now: time.now.sinceStart).answer(&state)
    }
  }

  /// The state with all that time has done to it.
  private func settled(_ state: inout State) -> State {
    let now = time.now.sinceStart
    if let made = state.creation, made.at <= now {
      state.vms[made.vm] = VM(tags: made.tags, power: .running, runningSince: made.at)
      state.powers += [.starting, .running]
      state.creation = nil
    }
    for (name, vm) in state.vms {
      guard let next = vm.next, next.at <= now else { continue }
      state.vms[name]?.next = nil
      if next.power == .running, let failure = state.startFailure {
        state.vms[name]?.failure = failure
        Self.change(&state, name, .deallocated)
      } else {
        Self.change(&state, name, next.power)
        if next.power == .running { state.vms[name]?.runningSince = next.at }
      }
    }
    return state
  }

  static func change(_ state: inout State, _ name: String, _ power: VMView.Power) {
    guard state.vms[name]?.power != power else { return }
    state.vms[name]?.power = power
    state.powers.append(power)
  }
}

/// An empty folder where writing costs nothing, for scenarios that sync their files a hundred times.
private func withMemoryFolder(_ body: (String) async throws -> Void) async throws {
  let memory = "/dev/shm"
  try await withTemporaryFolder(in: FileManager.default.isWritableFile(atPath: memory) ? memory : nil, body)
}
