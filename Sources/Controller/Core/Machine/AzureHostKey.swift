import Azure
import Foundation
import SSH
import Shared

/// The VM's host key, as it was learned through Azure and not over the network that it has to protect: `provision` keeps it
/// beside this person's keys and in a tag of the VM, which machines without a memory (a workflow's runner) read.
struct AzureHostKey {
  static let tag = MachineSpec.hostKeyTag

  var state: StateFolder
  var vm: AzureVM

  private var pinFile: String { state.keys(of: vm) + "/host_key" }
  private var knownHostsFile: String { state.keys(of: vm) + "/known_hosts" }

  /// Keeps a key, as ssh-keygen writes it: `ssh-ed25519 AAAA…`.
  func pin(_ key: String) throws {
    try state.make(state.keys(of: vm))
    try state.write(key + "\n", to: pinFile)
  }

  func forget() { _ = try? FileManager.default.removeItem(atPath: pinFile) }  // not there: nothing to forget

  /// The pinned key.
  var pinned: String? {
    (try? String(contentsOfFile: pinFile, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The key that the VM must show.
  func trusted(_ view: VMView) throws -> String {
    let told = view.tags[Self.tag]
    if let pinned, let told, pinned != told {
      throw Problem(
        what: "the VM \(vm) has another host key than the one kept here",
        why: "kept: \(pinned)\nin its tag: \(told)",
        fix: "if it was made anew, learn the key through Azure: cf-bench provision; if not, somebody changed the tag",
        exitStatus: .infrastructure)
    }
    guard let key = pinned ?? told, Self.isKey(key) else {
      throw Problem(
        what: "the host key of the VM \(vm) is not known",
        why: told == nil ? "it has no tag \(Self.tag), and none is kept here" : "what is kept is no key",
        fix: "cf-bench provision learns it through Azure, without touching the VM otherwise",
        exitStatus: .infrastructure)
    }
    return key
  }

  /// A known_hosts file that vouches for the VM at that address, and for nothing else.
  func knownHosts(at address: String, port: Int, view: VMView) throws -> String {
    let key = try trusted(view)
    try state.make(state.keys(of: vm))
    try state.write("\(port == 22 ? address : "[\(address)]:\(port)") \(key)\n", to: knownHostsFile)
    return knownHostsFile
  }

  static func isKey(_ text: String) -> Bool {
    text.wholeMatch(of: /(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+\/]+=*/) != nil
  }
}
