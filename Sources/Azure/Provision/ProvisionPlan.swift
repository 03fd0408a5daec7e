import Shared

/// All calls that make the VM and what belongs to it, in order. A dry run prints this list, a real one carries it out.
public struct ProvisionPlan: Sendable {
  var spec: MachineSpec
  /// The subscription's id.
  var subscription: String
  /// Tags that the VM is born with: whose it is, and the lease of this command.
  var tags: [String: String]

  private var vm: AzureVM { spec.vm }
  private var named: [String] { ["--resource-group", vm.group] }
  private var placed: [String] { named + ["--location", spec.settings.location, "--output", "none"] }

  var group: AzureStep {
    AzureStep(
      purpose: "the resource group that holds everything",
      arguments: [
        "group", "create", "--name", vm.group, "--location", spec.settings.location, "--tags",
        "\(MachineSpec.versionTag)=\(Version.current)", "--output", "none",
      ], look: ["group", "show", "--name", vm.group])
  }

  /// Before the VM: what it stands on.
  var ground: [AzureStep] {
    [
      AzureStep(
        purpose: "a firewall without any rule that lets somebody in",
        arguments: ["network", "nsg", "create", "--name", vm.securityGroup] + placed,
        look: ["network", "nsg", "show", "--name", vm.securityGroup] + named),
      AzureStep(
        purpose: "a network of its own",
        arguments: [
          "network", "vnet", "create", "--name", vm.network, "--address-prefixes", "10.80.0.0/24", "--subnet-name",
          "default", "--subnet-prefixes", "10.80.0.0/24",
        ] + placed, look: ["network", "vnet", "show", "--name", vm.network] + named),
      AzureStep(
        purpose: "a public address that stays the same",
        arguments: [
          "network", "public-ip", "create", "--name", vm.publicAddress, "--sku", "Standard", "--allocation-method",
          "Static", "--version", "IPv4",
        ] + placed, look: ["network", "public-ip", "show", "--name", vm.publicAddress] + named),
      AzureStep(
        purpose: "the network interface that joins them",
        arguments: [
          "network", "nic", "create", "--name", vm.interface, "--vnet-name", vm.network, "--subnet", "default",
          "--public-ip-address", vm.publicAddress, "--network-security-group", vm.securityGroup,
        ] + placed, look: ["network", "nic", "show", "--name", vm.interface] + named),
      AzureStep(
        purpose: "the firewall's place before that interface",
        arguments: [
          "network", "nic", "update", "--name", vm.interface, "--network-security-group", vm.securityGroup, "--output",
          "none",
        ] + named,
        look: ["network", "nic", "show", "--name", vm.interface, "--query", "networkSecurityGroup.id"] + named,
        emptyAnswer: "", onlyMends: true),
    ]
  }

  /// The VM itself; it is on from here.
  var machine: AzureStep {
    var allTags = tags
    allTags[MachineSpec.versionTag] = Version.current
    allTags[MachineSpec.imageTag] = spec.image
    allTags[MachineSpec.customDataTag] = spec.customData.digest
    return AzureStep(
      purpose: "the VM",
      arguments: [
        "vm", "create", "--name", vm.name, "--size", spec.settings.size, "--image", spec.image, "--nics", vm.interface,
        "--admin-username", MachineSpec.admin, "--authentication-type", "ssh", "--ssh-key-values", spec.publicKey,
        "--os-disk-name", vm.disk, "--os-disk-size-gb", String(spec.settings.diskGB), "--storage-sku", "Premium_LRS",
        "--assign-identity", "[system]", "--custom-data", spec.cloudInit, "--tags",
      ] + allTags.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } + placed,
      look: ["vm", "show", "--name", vm.name] + named)
  }

  /// What stops the VM when no controller does. Azure's own daily stop comes first: it needs no right to give rights.
  func nets(_ identity: Identity) -> [AzureStep] {
    let id = vm.id(in: subscription)
    return [
      AzureStep(
        purpose: "a stop each day at \(spec.settings.shutdownTime.text) UTC, as the last net",
        arguments: [
          "vm", "auto-shutdown", "--name", vm.name, "--time", spec.settings.shutdownTime.text, "--output", "none",
        ] + named,
        look: ["resource", "show", "--ids", vm.scheduleID(in: subscription), "--api-version", "2018-09-15"]),
      AzureStep(
        purpose: "a role that may see a VM and deallocate it, and nothing else",
        arguments: ["role", "definition", "create", "--role-definition", definition, "--output", "none"],
        look: ["role", "definition", "list", "--name", vm.role, "--scope", vm.groupID(in: subscription)],
        emptyAnswer: "[]", mayBeOlder: true),
      AzureStep(
        purpose: "that role for the VM's own identity, on this VM alone",
        arguments: [
          "role", "assignment", "create", "--assignee-object-id", identity.word, "--assignee-principal-type",
          "ServicePrincipal", "--role", vm.role, "--scope", id, "--output", "none",
        ],
        look: [
          "role", "assignment", "list", "--scope", id, "--fill-principal-name", "false", "--query",
          "[?principalId=='\(identity.word)' && roleDefinitionName=='\(vm.role)']",
        ], emptyAnswer: "[]"),
    ]
  }

  /// The VM's identity in Azure: known once the VM is there.
  enum Identity: Sendable {
    case known(String)
    case ofTheVM

    static let placeholder = "IDENTITY-OF-THE-VM"
    var word: String { if case .known(let id) = self { id } else { Self.placeholder } }
  }

  /// Gives an identity to a VM that has none, one made by another hand for instance.
  var identity: AzureStep {
    AzureStep(
      purpose: "an identity for the VM",
      arguments: ["vm", "identity", "assign", "--name", vm.name, "--identities", "[system]", "--output", "none"]
        + named,
      look: nil)
  }

  private var definition: String {
    let actions = ["Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/deallocate/action"]
    let list = actions.map { "\"\($0)\"" }.joined(separator: ", ")
    return """
      {"Name": "\(vm.role)", "Description": "Lets the VM \(vm.name) stop itself.", "Actions": [\(list)], \
      "AssignableScopes": ["\(vm.groupID(in: subscription))"]}
      """
  }

  /// All steps from nothing to a VM with its nets.
  func all(_ identity: Identity) -> [AzureStep] { [group] + ground + [machine] + nets(identity) }

  /// A call as a person could paste it: what is not known yet is asked for in place.
  func line(_ step: AzureStep, _ cli: AzureCLI) -> String {
    let ask = cli.line(["vm", "show", "--name", vm.name, "--query", "identity.principalId", "--output", "tsv"] + named)
    return cli.line(step.arguments).replacing(Identity.placeholder, with: "\"$(\(ask))\"")
  }
}
