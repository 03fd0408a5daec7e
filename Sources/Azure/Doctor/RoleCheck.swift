import FoundationEssentials
import Shared

/// What cf-bench needs to be allowed, by the resource that it is done to.
public struct NeededRole: Sendable {
  struct Place: Sendable {
    /// The resource's path below the group.
    var path: String
    var actions: [String]
  }
  var places: [Place]

  /// - Parameter opensPort: whether rules of the network are made and removed.
  init(for vm: AzureVM, opensPort: Bool) {
    let network = "Microsoft.Network"
    let rules = "\(network)/networkSecurityGroups/securityRules"
    places = [
      Place(
        path: "Microsoft.Compute/virtualMachines/\(vm.name)",
        actions: [
          "Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/start/action",
          "Microsoft.Compute/virtualMachines/deallocate/action", "Microsoft.Resources/tags/read",
          "Microsoft.Resources/tags/write",
        ]),
      Place(
        path: "\(network)/networkSecurityGroups/\(vm.securityGroup)",
        actions: ["\(network)/networkSecurityGroups/read", "\(rules)/read"]
          + (opensPort ? ["\(rules)/write", "\(rules)/delete"] : [])),
      Place(path: "\(network)/networkInterfaces/\(vm.interface)", actions: ["\(network)/networkInterfaces/read"]),
      Place(path: "\(network)/publicIPAddresses/\(vm.publicAddress)", actions: ["\(network)/publicIPAddresses/read"]),
    ]
  }

  var actions: [String] { places.flatMap(\.actions) }

  /// The least role as `az` takes it: an owner makes it once.
  func definition(group: String) -> String {
    let list = actions.map { "\"\($0)\"" }.joined(separator: ", ")
    return """
      {"Name": "\(Self.name)", "Description": "Has a VM run benchmarks, and stops it.", "Actions": [\(list)], \
      "AssignableScopes": ["\(group)"]}
      """
  }

  static let name = "cf-bench run"
}

extension AzureCheck {
  /// Whether the role of the signed-in one allows all that a run does, action by action.
  static let role = AzureCheck("azure.role", needs: ["azure.subscription"]) { facts in
    let vm = facts.client.vm
    let group = vm.groupID(in: try facts.account.id)
    let role = NeededRole(for: vm, opensPort: facts.client.settings.allowFrom != .asItIs)
    do {
      let missing = try await missing(of: role, in: group, facts)
      guard missing.isEmpty else {
        return .failed(
          "\(facts.who) may not \(missing.joined(separator: ", "))", fix: grant(role, group, to: facts.who))
      }
      return .ok("\(facts.who) may do all \(role.actions.count) things that a run needs")
    } catch let error as AzureError where error.isMissing {
      return .skipped("not checked: there is nothing yet that one could have a role on")
    } catch let error as AzureError where error.isForbidden {
      return .skipped(
        "not checked: this sign-in may not ask what it may do (Microsoft.Authorization/permissions/read)")
    }
  }

  /// Most have their role at the group or above; what is not allowed there may still be at the resource itself.
  private static func missing(of role: NeededRole, in group: String, _ facts: AzureFacts) async throws -> [String] {
    let here = try await permissions(at: group, facts)
    let open = role.places.map { place in
      (path: place.path, actions: place.actions.filter { here?.allows($0) != true })
    }.filter { !$0.actions.isEmpty }
    return try await withThrowingTaskGroup(of: (Int, [String]).self) { tasks in
      for (index, place) in open.enumerated() {
        tasks.addTask {
          let there = try await permissions(at: "\(group)/providers/\(place.path)", facts)
          if here == nil, there == nil {
            throw AzureError(.refused(code: "AuthorizationFailed", message: ""), during: "")
          }
          return (index, place.actions.filter { there?.allows($0) != true })
        }
      }
      var found: [Int: [String]] = [:]
      for try await (index, actions) in tasks { found[index] = actions }
      return open.indices.flatMap { found[$0] ?? [] }
    }
  }

  /// `nil` where one may not ask.
  private static func permissions(at scope: String, _ facts: AzureFacts) async throws -> Permissions? {
    do {
      return try await facts.read(
        Permissions.self, "\(scope)/providers/Microsoft.Authorization/permissions", version: "2022-04-01")
    } catch let error as AzureError where error.isForbidden { return nil }
  }

  private static func grant(_ role: NeededRole, _ group: String, to who: String) -> String {
    """
    an owner makes the least role, once, and gives it; it takes some minutes to hold:
    az role definition create --role-definition \(ShellWord.quoted(role.definition(group: group)))
    az role assignment create --assignee \(ShellWord.quoted(who)) --role \(ShellWord.quoted(NeededRole.name)) \
    --scope \(group)
    """
  }
}
