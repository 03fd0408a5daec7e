import FoundationEssentials
import Shared

extension AzureCheck {
  private struct Assignment: Decodable {
    struct Properties: Decodable {
      var roleDefinitionId: String
      var principalId: String
      var scope: String
    }
    var properties: Properties
  }

  private struct Definition: Decodable {
    struct Properties: Decodable {
      var roleName: String
      var permissions: [Permissions.Permission]
    }
    var properties: Properties
  }

  /// What the watchdog lives by: the VM may stop itself, and should be able to do nothing else.
  static let identity = AzureCheck("azure.identity", needs: ["azure.vm"]) { facts in
    let view = try facts.view
    let again = "cf-bench provision"  // makes what is missing and leaves the rest as it is
    guard let principal = view.identity?.principalId else {
      return .warning("the VM has no identity: its watchdog can't stop it", fix: again)
    }
    let action = "Microsoft.Compute/virtualMachines/deallocate/action"
    do {
      let assignments = try await facts.read(
        Listed<Assignment>.self, "\(view.id)/providers/Microsoft.Authorization/roleAssignments", version: "2022-04-01",
        filter: "assignedTo('\(principal)')"
      ).value.map(\.properties)
      // ARM lists those below too; they give nothing at the VM itself.
      let holding = assignments.filter { "\(view.id)/".lowercased().hasPrefix("\($0.scope)/".lowercased()) }
      var roles: [(name: String, permissions: Permissions, scope: String)] = []
      for one in holding {
        let found = try await facts.read(Definition.self, one.roleDefinitionId, version: "2022-04-01").properties
        roles.append((found.roleName, Permissions(found.permissions), one.scope))
      }
      guard let stopping = roles.first(where: { $0.permissions.allows(action) }) else {
        return .warning("the VM's identity may not deallocate it: its watchdog can't stop it", fix: again)
      }
      if let broad = roles.first(where: { isBroad($0.permissions, $0.scope, view.id) }) {
        return .warning(
          "the VM's identity may do more than stop this VM: role '\(broad.name)' at \(broad.scope)",
          fix: facts.client.cli.line([
            "role", "assignment", "delete", "--assignee", principal, "--role", broad.name, "--scope", broad.scope,
          ]))
      }
      return .ok("the VM may stop itself (role '\(stopping.name)') and nothing else")
    } catch let error as AzureError where error.isForbidden {
      return .skipped(
        "not checked: this sign-in may not read roles (Microsoft.Authorization/roleAssignments/read, "
          + "roleDefinitions/read)")
    }
  }

  private static func isBroad(_ permissions: Permissions, _ scope: String, _ vm: String) -> Bool {
    let few = [
      "microsoft.compute/virtualmachines/read", "microsoft.compute/virtualmachines/deallocate/action",
      "microsoft.compute/virtualmachines/instanceview/read", "microsoft.resources/tags/read",
    ]
    return scope.lowercased() != vm.lowercased() || !permissions.actions.allSatisfy { few.contains($0.lowercased()) }
  }
}
