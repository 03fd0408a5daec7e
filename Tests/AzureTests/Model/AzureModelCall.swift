import Foundation
import Shared
import Tools

@testable import Azure

/// One call of `az`, taken apart and answered.
struct AzureModelCall {
  private let arguments: [String]
  private let model: AzureModel
  private let now: Duration
  /// The words before the first flag: `vm get-instance-view`.
  private let command: String

  init(_ arguments: [String], _ model: AzureModel, now: Duration) {
    (self.arguments, self.model, self.now) = (arguments, model, now)
    command = arguments.prefix { !$0.hasPrefix("--") }.joined(separator: " ")
  }

  private func all(_ flag: String) -> [String] {
    guard let index = arguments.firstIndex(of: flag) else { return [] }
    return Array(arguments[(index + 1)...].prefix { !$0.hasPrefix("--") })
  }

  private func value(_ flag: String) -> String { all(flag).first ?? "" }
  private var name: String { value("--name") }

  private func json(_ value: Any) -> ChildTool.Output {
    let data = try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed])
    return ChildTool.Output(output: String(decoding: data ?? Data(), as: UTF8.self))
  }

  private var missing: ChildTool.Output {
    AzureModel.refusal("ResourceNotFound", "The Resource '\(command) \(name)' was not found.")
  }

  func answer(_ state: inout AzureModel.State) -> ChildTool.Output {
    switch command {
    case "vm get-instance-view": return view(&state, name).map(json) ?? missing
    case "vm list": return json(state.vms.keys.sorted().compactMap { view(&state, $0) })
    case "vm start": return start(&state)
    case "vm deallocate": return deallocate(&state)
    case "vm show" where value("--query") == "":
      return state.vms[name] == nil ? missing : json(["publicIps": "203.0.113.9"])
    case "vm create": return create(&state)
    case "vm delete":
      guard state.vms.removeValue(forKey: name) != nil else { return missing }
      return ChildTool.Output()
    case "vm run-command invoke": return runInside(&state)
    case "vm identity assign":
      state.vms[name]?.hasIdentity = true
      return ChildTool.Output()
    case "tag update": return tag(&state)
    case "network nsg rule create": return open(&state)
    case "network nsg rule delete":
      state.rules[name] = nil
      return ChildTool.Output()
    case "network nsg rule list":
      guard state.things.contains("network nsg \(value("--nsg-name"))") else { return missing }
      return json(
        state.rules.sorted { $0.key < $1.key }.map {
          ["name": $0.key, "description": $0.value.description, "sourceAddressPrefix": $0.value.source]
        })
    case "account show":
      return json(["id": "S", "name": "sub", "tenantId": "T", "user": ["name": "me", "type": "user"]])
    case "vm image list": return json([["version": "24.04.202601010"], ["version": "24.04.202512310"]])
    case "deployment group list":
      return json(["vm_deploy_1"].filter { _ in state.creation != nil }.map { ["name": $0] })
    default: return thing(&state)
    }
  }

  // MARK: The VM

  private func view(_ state: inout AzureModel.State, _ name: String) -> [String: Any]? {
    guard let vm = state.vms[name] else { return nil }
    var statuses = [["code": "ProvisioningState/succeeded"], ["code": "PowerState/\(vm.power.rawValue)"]]
    if let failure = vm.failure {
      statuses[0] = ["code": "ProvisioningState/failed/\(failure)", "message": "We do not have sufficient capacity"]
    }
    var view: [String: Any] = [
      "id": "\(AzureModel.prefix)/Microsoft.Compute/virtualMachines/\(name)", "name": name, "location": "westus2",
      "tags": vm.tags, "instanceView": ["statuses": statuses], "hardwareProfile": ["vmSize": vm.size],
    ]
    if vm.hasIdentity { view["identity"] = ["principalId": "P"] }
    return view
  }

  /// As with `--no-wait`: taken, and no word of what becomes of it.
  private func start(_ state: inout AzureModel.State) -> ChildTool.Output {
    guard let vm = state.vms[name] else { return missing }
    if vm.power == .running || vm.power == .starting { return ChildTool.Output() }
    state.vms[name]?.failure = nil
    AzureModel.change(&state, name, .starting)
    state.vms[name]?.next = (.running, now + model.startTime)
    return ChildTool.Output()
  }

  /// Takes the place of a start that is under way.
  private func deallocate(_ state: inout AzureModel.State) -> ChildTool.Output {
    guard let vm = state.vms[name] else { return missing }
    if vm.power == .deallocated || vm.power == .deallocating { return ChildTool.Output() }
    AzureModel.change(&state, name, .deallocating)
    state.vms[name]?.next = (.deallocated, now + model.stopTime)
    return ChildTool.Output()
  }

  private func create(_ state: inout AzureModel.State) -> ChildTool.Output {
    let tags = Dictionary(uniqueKeysWithValues: all("--tags").map(Self.pair))
    state.creation = (name, tags, now + model.startTime)
    state.things.insert("disk \(value("--os-disk-name"))")
    return ChildTool.Output()
  }

  private func runInside(_ state: inout AzureModel.State) -> ChildTool.Output {
    guard state.vms[name]?.power == .running else {
      return AzureModel.refusal("OperationNotAllowed", "The operation requires the VM to be running")
    }
    if state.isMendedByRepeating, value("--scripts").contains("/usr/local/lib/cf-bench/provision") {
      state.guest = AzureModel.State.readyGuest
    }
    let marks = value("--scripts").matches(of: /cf-bench-(begin|end)-[-0-9A-F]+/).map { String($0.output.0) }
    let printed = [marks.first ?? "", "cf-bench-verdict \(state.guest)", marks.last ?? ""].joined(separator: "\n")
    return json(["value": [["message": "Enable succeeded: \n[stdout]\n\(printed)\n\n[stderr]\n"]]])
  }

  // MARK: Tags and rules

  private static func pair(_ text: String) -> (String, String) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
  }

  /// Tag by tag, and all of them are told in the same step.
  private func tag(_ state: inout AzureModel.State) -> ChildTool.Output {
    let name = value("--resource-id").split(separator: "/").last.map(String.init) ?? ""
    guard var tags = state.vms[name]?.tags else { return missing }
    for (key, text) in all("--tags").map(Self.pair) {
      if value("--operation") == "merge" {
        tags[key] = text
      } else if tags[key] == text {
        tags[key] = nil
      }
    }
    state.vms[name]?.tags = tags
    return json(["properties": ["tags": tags]])
  }

  private func open(_ state: inout AzureModel.State) -> ChildTool.Output {
    guard state.things.contains("network nsg \(value("--nsg-name"))") else { return missing }
    let rule = AzureModel.Rule(
      priority: value("--priority"), source: value("--source-address-prefixes"), description: value("--description"))
    if state.rules.contains(where: { $0.key != name && $0.value.priority == rule.priority }) {
      return AzureModel.refusal("SecurityRuleConflict", "the priority \(rule.priority) is taken")
    }
    state.rules[name] = rule
    return ChildTool.Output()
  }

  // MARK: All else

  /// `TYPE create`, `show`, `list`, `update` and `delete` of things that only have to be there.
  private func thing(_ state: inout AzureModel.State) -> ChildTool.Output {
    let words = command.split(separator: " ").map(String.init)
    let (type, verb) = (words.dropLast().joined(separator: " "), words.last ?? "")
    var key = "\(type) \(name)"
    if command == "vm auto-shutdown" { key = "schedule shutdown-computevm-\(name)" }
    if type == "resource", let id = all("--ids").first { key = "schedule \(id.split(separator: "/").last ?? "")" }
    if type == "role definition", verb == "create" {
      key = "role definition cf-bench deallocate cf-bench"
    } else if type == "role assignment" {
      key = "role assignment cf-bench deallocate cf-bench"
    }
    switch verb {
    case "create", "auto-shutdown":
      state.things.insert(key)
      if type == "network nic" { state.isInterfaceClosed = true }
      return ChildTool.Output()
    case "update":
      if type == "network nic" { state.isInterfaceClosed = true }
      return ChildTool.Output()
    case "show" where type == "vm": return state.vms[name] == nil ? missing : json(["name": name])
    case "show":
      guard state.things.contains(key) else { return missing }
      if value("--query") == "networkSecurityGroup.id" {
        return ChildTool.Output(output: state.isInterfaceClosed ? "\"/nsg\"\n" : "\n")
      }
      return json(["name": name, "tags": ["cf-bench": Version.current]])
    case "list" where type == "resource":
      let names = state.things.filter { !$0.hasPrefix("role") && !$0.hasPrefix("group") }
        .map { String($0.split(separator: " ").last ?? "") }
      return json(names.map { ["id": $0, "name": $0] })
    case "list":
      let found: [[String: String]] = state.things.contains(key) ? [["id": "/\(key)", "name": key]] : []
      return json(found)
    case "delete":
      guard state.things.remove(key) != nil else { return missing }
      if type == "group" { state.things = [] }
      return ChildTool.Output()
    default: return ChildTool.Output(.status(2), error: "ERROR: '\(command)' is not in the model")
    }
  }
}
