import FoundationEssentials
import Shared

/// Removes all that `provision` made, in the order in which Azure lets go of it. What is not there is passed over.
public struct Deprovisioner: Sendable {
  public var client: AzureClient
  /// Removes it though others have a lease.
  public var isForced: Bool
  public var owner: String
  public var note: @Sendable (String) -> Void

  public init(client: AzureClient, isForced: Bool, owner: String, note: @escaping @Sendable (String) -> Void) {
    self.client = client
    self.isForced = isForced
    self.owner = owner
    self.note = note
  }

  private var vm: AzureVM { client.vm }
  private var named: [String] { ["--resource-group", vm.group] }

  private struct Named: Decodable {
    var id: String
    var name: String?
  }

  /// What is there of ours, in words, and the calls that remove it.
  public struct Plan: Sendable {
    public var things: [String]
    var steps: [AzureStep]
    public func lines(_ cli: AzureCLI) -> [String] { steps.map { cli.line($0.arguments) } }
  }

  public func plan() async throws -> Plan {
    let patience = client.retry(for: .seconds(60), note: note)
    let subscription = try await patience.with {
      try await client.cli.ask(
        Account.self, ["account", "show"] + (vm.subscription.map { ["--subscription", $0] } ?? []))
    }.id
    if let view = try await look(VMView.self, ["vm", "get-instance-view", "--name", vm.name] + named) {
      let others = view.board.leases.filter { !$0.isOver(at: client.cli.now()) && $0.owner != owner }
      if !others.isEmpty, !isForced {
        throw Problem(
          what: "the VM \(vm) is in use",
          why: others.map { "\($0.owner) has it until \(TagMoment.text($0.until))" }.joined(separator: "\n"),
          fix: "wait for its end, or say --force", exitStatus: .infrastructure)
      }
    }
    var steps: [AzureStep] = []
    for step in removals(subscription) where try await isThere(step.look ?? []) { steps.append(step) }
    steps += try await roleSteps(subscription)
    if let step = try await groupStep(steps.count) { steps.append(step) }
    return Plan(things: steps.map(\.purpose), steps: steps)
  }

  public func carryOut(_ plan: Plan) async throws {
    for step in plan.steps {
      note("removing \(step.purpose)")
      do {
        _ = try await client.retry(for: .seconds(300), note: note).with {
          try await client.cli.call(step.arguments, limit: .seconds(900))
        } isPassing: {
          $0.isTransient || Self.late.contains($0.code)
        }
      } catch let error as AzureError where error.isMissing { continue }  // gone by itself meanwhile
    }
  }

  /// What used a thing lets go of it a while after it is gone itself.
  private static let late: Set = [
    "NicInUse", "NicReservedForAnotherVm", "PublicIPAddressCannotBeDeleted", "InUseSubnetCannotBeDeleted",
    "InUseNetworkSecurityGroupCannotBeDeleted", "RoleDefinitionHasAssignments",
  ]

  private func removals(_ subscription: String) -> [AzureStep] {
    func step(_ what: String, _ type: [String], _ name: String, _ more: [String] = []) -> AzureStep {
      AzureStep(
        purpose: "\(what) \(name)", arguments: type + ["delete", "--name", name] + named + more,
        look: type + ["show", "--name", name] + named)
    }
    let schedule = vm.scheduleID(in: subscription)
    return [
      AzureStep(
        purpose: "the daily stop", arguments: ["resource", "delete", "--ids", schedule, "--api-version", "2018-09-15"],
        look: ["resource", "show", "--ids", schedule, "--api-version", "2018-09-15"]),
      step("the VM", ["vm"], vm.name, ["--yes"]), step("its network interface", ["network", "nic"], vm.interface),
      step("its public address", ["network", "public-ip"], vm.publicAddress),
      step("its firewall", ["network", "nsg"], vm.securityGroup), step("its network", ["network", "vnet"], vm.network),
      step("its disk", ["disk"], vm.disk, ["--yes"]),
    ]
  }

  /// The assignments go with the VM they are on; one that did not, and the role itself, are removed here.
  private func roleSteps(_ subscription: String) async throws -> [AzureStep] {
    let scope = vm.groupID(in: subscription)
    let roles = try await look([Named].self, ["role", "definition", "list", "--name", vm.role, "--scope", scope]) ?? []
    guard let role = roles.first else { return [] }
    let assigned =
      try await look(
        [Named].self,
        [
          "role", "assignment", "list", "--scope", vm.id(in: subscription), "--fill-principal-name", "false", "--query",
          "[?roleDefinitionId=='\(role.id)']",
        ]) ?? []
    return assigned.map {
      AzureStep(
        purpose: "its right to stop itself", arguments: ["role", "assignment", "delete", "--ids", $0.id], look: nil)
    } + [
      AzureStep(
        purpose: "the role '\(vm.role)'",
        arguments: ["role", "definition", "delete", "--name", vm.role, "--scope", scope], look: nil)
    ]
  }

  /// The group goes only if cf-bench made it, and nothing else is in it.
  private func groupStep(_ ours: Int) async throws -> AzureStep? {
    struct Group: Decodable { var tags: [String: String]? }
    guard let group = try await look(Group.self, ["group", "show", "--name", vm.group]),
      group.tags?[MachineSpec.versionTag] != nil
    else { return nil }
    let inside = try await look([Named].self, ["resource", "list", "--resource-group", vm.group]) ?? []
    let names = Set(
      [vm.name, vm.interface, vm.publicAddress, vm.securityGroup, vm.network, vm.disk, "shutdown-computevm-\(vm.name)"]
        .map { $0.lowercased() })
    let foreign = inside.filter { !names.contains(($0.name ?? "").lowercased()) }
    guard foreign.isEmpty else {
      note("the group \(vm.group) stays: it also holds \(foreign.compactMap(\.name).joined(separator: ", "))")
      return nil
    }
    return AzureStep(
      purpose: "the resource group \(vm.group)", arguments: ["group", "delete", "--name", vm.group, "--yes"], look: nil)
  }

  private func isThere(_ arguments: [String]) async throws -> Bool {
    do {
      try await client.cli.call(arguments + ["--output", "none"])
      return true
    } catch let error as AzureError where error.isMissing { return false }
  }

  private func look<Answer: Decodable>(_ type: Answer.Type, _ arguments: [String]) async throws -> Answer? {
    do { return try await client.cli.ask(type, arguments) } catch let error as AzureError where error.isMissing {
      return nil
    }
  }
}
