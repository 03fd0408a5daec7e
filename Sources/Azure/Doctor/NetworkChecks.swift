import FoundationEssentials
import Shared

extension AzureCheck {
  private struct SecurityGroup: Decodable {
    struct Properties: Decodable { var securityRules: [Rule]? }
    struct Rule: Decodable {
      struct Properties: Decodable {
        var access: String?
        var direction: String?
        var description: String?
        var sourceAddressPrefix: String?
        var sourceAddressPrefixes: [String]?
      }
      var name: String
      var properties: Properties

      private var sources: [String] {
        (properties.sourceAddressPrefixes ?? []) + (properties.sourceAddressPrefix.map { [$0] } ?? [])
      }
      var letsIn: Bool { properties.access == "Allow" && properties.direction == "Inbound" }
      var isForAll: Bool {
        letsIn && sources.contains { ["*", "any", "internet", "0.0.0.0/0", "::/0"].contains($0.lowercased()) }
      }
      var isOurs: Bool { name.hasPrefix(FirewallRule.prefix) }
      var end: Date? { FirewallRule.end(of: properties.description ?? "") }
      var words: String { "\(name) for \(sources.joined(separator: ", "))" }
    }
    var properties: Properties
  }

  /// The network's rules: nothing is open that nobody uses, and nothing to everybody.
  static let rules = AzureCheck("azure.nsg", needs: ["azure.vm"]) { facts in
    let vm = facts.client.vm
    let group: SecurityGroup
    do {
      group = try await facts.read(
        SecurityGroup.self, "\(try facts.network)/networkSecurityGroups/\(vm.securityGroup)", version: "2022-01-01")
    } catch let error as AzureError where error.isMissing {
      return .failed(
        "there is no \(vm.securityGroup): nobody can be let in, or everybody is",
        fix: "cf-bench provision")
    }
    let open = (group.properties.securityRules ?? []).filter(\.letsIn)
    if let wide = open.first(where: \.isForAll) {
      return .failed(
        "the rule \(wide.name) in \(vm.securityGroup) lets the whole internet in",
        fix: facts.client.cli.line([
          "network", "nsg", "rule", "delete", "--resource-group", vm.group, "--nsg-name", vm.securityGroup, "--name",
          wide.name,
        ]))
    }
    let ours = open.filter(\.isOurs)
    let old = ours.filter { rule in rule.end.map { $0 + Lease.grace < .now } ?? true }
    if let first = old.first {
      let isDated = first.end != nil
      return .warning(
        "\(first.words) was left open\(first.end.map { " at \(TagMoment.text($0))" } ?? "")",
        fix: isDated
          ? "cf-bench reap"
          : facts.client.cli.line([
            "network", "nsg", "rule", "delete", "--resource-group", vm.group, "--nsg-name", vm.securityGroup, "--name",
            first.name,
          ]))
    }
    let words = open.map { rule in rule.words + (rule.end.map { " until \(TagMoment.text($0))" } ?? "") }
    return .ok(open.isEmpty ? "\(vm.securityGroup) lets nobody in" : "lets in " + words.joined(separator: "; "))
  }

  /// The VM's address, and what this machine is seen as from outside.
  static let address = AzureCheck("azure.address", needs: ["azure.vm", "azure.curl"]) { facts in
    struct Reserved: Decodable {
      struct Properties: Decodable {
        var ipAddress: String?
        var publicIPAllocationMethod: String?
      }
      var properties: Properties
    }
    let vm = facts.client.vm
    async let range = FirewallRule(client: facts.client).range()
    let words: String
    do {
      let reserved = try await facts.read(
        Reserved.self, "\(try facts.network)/publicIPAddresses/\(vm.publicAddress)", version: "2022-01-01"
      ).properties
      guard reserved.publicIPAllocationMethod == "Static" else {
        return .warning(
          "\(vm.publicAddress) is not reserved: it changes with each start",
          fix: facts.client.cli.line([
            "network", "public-ip", "update", "--resource-group", vm.group, "--name", vm.publicAddress,
            "--allocation-method", "Static",
          ]))
      }
      words = "\(reserved.ipAddress ?? "not given yet") (static)"
    } catch let error as AzureError where error.isMissing {
      words = "\(try await facts.client.address()) (not \(vm.publicAddress), which is missing)"
    }
    guard let range = try await range else { return .ok("\(words); no rule is made for this machine") }
    return .ok("\(words); this machine is let in as \(range)")
  }

  /// Leases and rules end by the clock.
  static let clock = AzureCheck("azure.clock", needs: ["azure.az", "azure.curl"]) { facts in
    let arm = try await facts.client.cli.call(
      ["cloud", "show", "--query", "endpoints.resourceManager", "--output", "tsv"]
    ).trimmed
    let before = Date.now
    let theirs: Date
    do { theirs = try await Web(environment: facts.client.cli.environment).date(of: arm, what: "Azure") } catch let
      error
      as Problem
    {
      return .warning("not compared: \(error.what): \(error.why ?? "")", fix: error.fix)
    }
    // Their second began somewhere between the question and the answer.
    let middle = before + Date.now.timeIntervalSince(before) / 2
    let skew = middle.timeIntervalSince(theirs)
    let seconds = Int(abs(skew).rounded())
    guard abs(skew) > 60 else { return .ok("within \(max(1, seconds)) s of Azure's") }
    return .warning(
      "this machine's clock is \(seconds) s \(skew > 0 ? "ahead of" : "behind") Azure's: leases and rules end at wrong "
        + "times", fix: "sudo timedatectl set-ntp true")
  }
}
