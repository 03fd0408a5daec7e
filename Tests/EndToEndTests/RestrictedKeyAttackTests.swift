import Foundation
import LocalSSHD
import Shared
import TestSupport
import Testing

@Suite("The key of the one door opens nothing else, whatever OpenSSH's own programs ask for", .longPrograms)
struct RestrictedKeyAttackTests {
  /// What a server can permit: what holds is the key's line alone. But for tunnels, on which sshd asks nobody but its own
  /// `PermitTunnel`, which is 'no' unless somebody wrote otherwise.
  private static let permissive = [
    "X11Forwarding yes", "AllowAgentForwarding yes", "AllowTcpForwarding yes",
    "AllowStreamLocalForwarding yes", "PermitUserEnvironment yes", "PermitTTY yes", "Subsystem sftp internal-sftp",
  ]

  private func attack(_ door: RestrictedKeyTestbed, into name: String) async throws -> [[String]] {
    let folder = "\(door.testbed.folder)/\(name)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let run = try await door.testbed.tool(
      "python3",
      [
        Testbed.packageRoot + "/Tests/RestrictedKey/attacks.py", door.server.clientKey, door.server.knownHosts,
        door.server.user,
        "\(door.server.port)", door.home, folder,
      ])
    #expect(run.status == 0, "\(run.error)")
    return run.output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
  }

  @Test(
    "shell, commands, terminals, file transfer, forwarding of any kind, variables, tunnels: none works")
  func attacks() async throws {
    let began = ContinuousClock.now
    try await RestrictedKeyTestbed.with(configuration: Self.permissive, agent: RestrictedKeyTestbed.installOlder) {
      door in
      let found = try await attack(door, into: "attacks")
      let worked = found.filter { $0.first != "held" }
      #expect(worked == [])
      #expect(found.count >= 20)
      TrialReport.print(
        "attacks on the restricted key", trials: found.count, held: found.count - worked.count,
        worst: worked.first?.dropFirst().joined(separator: ": ") ?? "none worked", since: began)
    }
  }

  @Test(
    "the same attacks do work with a key that may do everything, so that their failure means something",
    .enabled(if: TrialReport.isThorough, "only in make faults: it waits a lot"))
  func attacksOnOpenKey() async throws {
    try await RestrictedKeyTestbed.with(
      configuration: Self.permissive, isRestricted: false, agent: RestrictedKeyTestbed.installOlder
    ) { door in
      let found = try await attack(door, into: "attacks")
      let held = found.filter { $0.first == "held" }.map { $0[1] }
      // No agent answers there, and a tunnel needs a device that not every machine has.
      let silent = ["another of the agent's commands", "names that lead elsewhere", "a tunnel (-w)", "variables"]
      #expect(held.filter { !silent.contains($0) } == [])
    }
  }
}
