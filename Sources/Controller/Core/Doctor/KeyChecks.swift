import Azure
import Foundation
import SSH
import Shared

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
