import Azure
import Foundation
import FoundationEssentials
import SSH
import Shared

/// What only a VM of ours has, seen from inside: its watchdog, and a clock by which leases end.
struct VMChecks {
  var connection: SSHConnection

  static let timer = "cf-bench-watchdog.timer"
  /// The VM's user with rights to repair it; the benchmarks' own has none.
  private var repair: String { "ssh cfadmin@\(connection.destination.host)" }

  func examine() async throws -> [DoctorCheck] {
    let before = Date.now
    let output = try await connection.run(
      "exec sh -c 'date +%s; systemctl is-active \(Self.timer)'", outputLimit: 4 << 10, limit: .seconds(15))
    let middle = before + Date.now.timeIntervalSince(before) / 2
    let lines = output.text.split(whereSeparator: \.isNewline)
    return [watchdog(lines.dropFirst().first.map(String.init)), clock(lines.first.flatMap { Double($0) }, middle)]
  }

  private func watchdog(_ state: String?) -> DoctorCheck {
    guard state != "active" else {
      return DoctorCheck(id: "far.watchdog", status: .ok, detail: "\(Self.timer) is active")
    }
    return DoctorCheck(
      id: "far.watchdog", status: .warning,
      detail: "\(Self.timer) is \(state ?? "not known there"): the VM does not stop itself when it is forgotten",
      fix: "\(repair) sudo systemctl enable --now \(Self.timer); if there is none: cf-bench provision --refresh")
  }

  private func clock(_ theirs: Double?, _ middle: Date) -> DoctorCheck {
    guard let theirs else {
      return DoctorCheck(id: "far.clock", status: .skipped, detail: "not checked: 'date' said nothing there")
    }
    let skew = theirs - middle.timeIntervalSince1970
    let seconds = Int(abs(skew).rounded())
    guard abs(skew) > 60 else {
      return DoctorCheck(id: "far.clock", status: .ok, detail: "within \(max(1, seconds)) s of this machine's")
    }
    return DoctorCheck(
      id: "far.clock", status: .warning,
      detail:
        "the VM's clock is \(seconds) s \(skew > 0 ? "ahead of" : "behind") this machine's: leases end at wrong times",
      fix: "\(repair) sudo timedatectl set-ntp true")
  }
}

extension MachineAccess {
  /// What is kept on this machine for the VM: its host key, and the key to log in with.
  var keyChecks: [AzureCheck] { [hostKeyCheck, privateKeyCheck] }

  private var hostKeyCheck: AzureCheck {
    AzureCheck("azure.host-key", needs: ["azure.vm"]) { [state, vm = settings.azure.machine] facts in
      let supervisor = AzureHostKey(state: state, vm: vm)
      let view = try facts.view
      let key = try supervisor.trusted(view)
      let places = [("kept here", supervisor.pinned), ("in the VM's tag", view.tags[AzureHostKey.tag])]
      let kind = key.prefix { $0 != " " }
      return .ok("\(kind), \(places.filter { $0.1 != nil }.map(\.0).joined(separator: " and "))")
    }
  }

  private var privateKeyCheck: AzureCheck {
    AzureCheck("azure.key") { [self] _ in
      let methods = try loginMethods(for: settings.azure.machine.description)
      let files = methods.compactMap { if case .keyFile(let path, _) = $0 { path } else { nil } }
      for file in files {
        guard FileManager.default.isReadableFile(atPath: file) else {
          return .failed(
            "\(file) is not there, or can't be read",
            fix: "name the right one with --identity FILE; without one, cf-bench provision makes a key for the VM")
        }
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int ?? 0
        guard mode & 0o077 == 0 else {
          return .warning(
            "\(file) can be used by others: its mode is \(String(mode, radix: 8))",
            fix: "chmod 600 \(ShellWords.join([file]))")
        }
      }
      let agent = methods.count > files.count ? ["ssh-agent"] : []
      return .ok((agent + files).joined(separator: ", "))
    }
  }
}
