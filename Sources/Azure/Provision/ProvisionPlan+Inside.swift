import Shared

/// What follows once the VM is there: it is on, so these are for cf-bench, which gives it back at the end, and a dry run
/// prints them as comments. Words in capitals are known only then.
extension ProvisionPlan {
  func inside(run: String) -> [AzureStep] {
    let rule = FirewallRule.prefix + run + "-deliver"
    let place = ["--resource-group", vm.group, "--nsg-name", vm.securityGroup, "--name", rule]
    return [
      step(
        "how its first boot went, and its host key; again until that has ended",
        ["vm", "run-command", "invoke"] + machineNamed
          + ["--command-id", "RunShellScript", "--scripts", "cloud-init status; cat /etc/ssh/ssh_host_ed25519_key.pub"]),
      tags("the host key, for those who did not learn it themselves", "merge", "\(MachineSpec.hostKeyTag)=KEY"),
      tags("a lease for bringing scripts and programs", "merge", "\(Lease.prefix)\(run)-deliver=LEASE"),
      step(
        "a way in for this machine, while they are brought over SSH",
        ["network", "nsg", "rule", "create"] + place
          + ["--source-address-prefixes", "ADDRESS", "--destination-port-ranges", "PORT", "--access", "Allow"]),
      step("the way in closed again", ["network", "nsg", "rule", "delete"] + place),
      tags("all was brought", "merge", "\(MachineSpec.readyTag)=\(Version.current)"),
      step("off, so that it costs nothing more", ["vm", "deallocate"] + machineNamed + ["--no-wait"]),
      tags("the leases taken away", "delete", "\(Lease.prefix)\(run)=LEASE"),
    ]
  }

  private var vm: AzureVM { spec.vm }
  private var machineNamed: [String] { ["--resource-group", vm.group, "--name", vm.name] }

  private func step(_ purpose: String, _ arguments: [String]) -> AzureStep {
    AzureStep(purpose: purpose, arguments: arguments, look: nil)
  }

  private func tags(_ purpose: String, _ operation: String, _ tag: String) -> AzureStep {
    step(
      purpose,
      ["tag", "update", "--operation", operation, "--resource-id", vm.id(in: subscription), "--tags", tag])
  }
}
