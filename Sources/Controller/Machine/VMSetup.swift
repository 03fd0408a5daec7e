import Azure
import Foundation
import SSH
import Shared
import Synchronization

/// `provision` from the key to the programs on the VM.
struct VMSetup: Sendable {
  var access: MachineAccess
  var note: @Sendable (String) -> Void

  private var azure: AzureSettings { access.settings.azure }
  private var vm: AzureVM { azure.machine }
  private var hostKey: AzureHostKey { AzureHostKey(state: access.state, vm: vm) }

  /// What a VM costs if it were on all month, in words.
  var monthlyPrice: @Sendable (_ size: String, _ location: String) -> String = { _, _ in
    "price not known here; see cf-bench cost"
  }

  func provision(cloudInit: String?, _ refreshes: Bool) async throws -> ProvisionedDocument {
    try await access.settle(note: note)
    let run = "provision-\(Timestamp.folder())"
    let found = Findings()
    let made = try await provisioner(run, publicKey: try await publicKey(), cloudInit, refreshes).provision(
      learned: { try hostKey.pin($0) }, whenOn: { found.add(try await deliver(run)) })
    return ProvisionedDocument(
      vm: vm.description, made: made.done, hostKey: made.hostKey, outcome: made.end?.words, findings: found.all)
  }

  /// Nothing is changed in Azure; the cloud-init file that the calls name is written.
  func dryRun(cloudInit: String?) async throws -> ProvisionedDocument {
    let run = "provision-\(Timestamp.folder())"
    let isKeyThere = FileManager.default.fileExists(atPath: plannedPublicKey)
    let key = isKeyThere ? [] : ["# a key to log in with", ShellWords.join(["ssh-keygen"] + keygenArguments)]
    let calls = try await provisioner(run, publicKey: plannedPublicKey, cloudInit, false).dryRun()
    let price = ["# monthly price: \(monthlyPrice(azure.size, azure.location))"]
    return ProvisionedDocument(vm: vm.description, calls: key + calls + price, made: [])
  }

  private func provisioner(
    _ run: String, publicKey: String, _ cloudInit: String?, _ refreshes: Bool
  ) throws -> Provisioner {
    let spec = MachineSpec(
      vm: vm, location: azure.location, size: azure.size, image: azure.image, diskGB: azure.diskGB,
      publicKey: publicKey, cloudInit: try customData(cloudInit))
    return Provisioner(
      client: AzureClient(cli: access.azureCLI, vm: vm), spec: spec, run: run, owner: ManifestBuilder.owner,
      refreshes: refreshes, stopLimit: azure.stopLimit, state: access.state, environment: access.environment,
      note: note)
  }

  // MARK: Keys

  private var ownKey: String { access.state.keys(of: vm) + "/id_ed25519" }
  private var plannedPublicKey: String { (access.identity.keyFile ?? ownKey) + ".pub" }

  /// The public half of the key that is set, or of one made for this VM.
  private func publicKey() async throws -> String {
    if let file = access.identity.keyFile {
      guard FileManager.default.isReadableFile(atPath: file + ".pub") else {
        throw Problem(
          what: "the public half of \(file) is missing", why: "there is no readable file \(file).pub",
          fix: "ssh-keygen -y -f \(file) > \(file).pub", exitStatus: .usage)
      }
      return file + ".pub"
    }
    if FileManager.default.fileExists(atPath: ownKey), FileManager.default.fileExists(atPath: ownKey + ".pub") {
      return ownKey + ".pub"
    }
    note("making a key for the VM: \(ownKey)")
    try access.state.make(access.state.keys(of: vm))
    _ = try await LocalTool.line("ssh-keygen", keygenArguments)
    return ownKey + ".pub"
  }

  private var keygenArguments: [String] { ["-q", "-t", "ed25519", "-N", "", "-C", "cf-bench \(vm)", "-f", ownKey] }

  // MARK: Custom data

  /// Azure's own limit on custom data, before it is encoded.
  private static let customDataLimit = 65_535

  /// The file that Azure is given: the one that is named, or the one that cf-bench brings along, kept beside the keys as a
  /// record of what the VM was made from.
  private func customData(_ file: String?) throws -> String {
    guard let file else {
      let folder = access.state.keys(of: vm)
      try access.state.make(folder)
      try access.state.write(
        String(decoding: PackageResources.cloud_init_yaml, as: UTF8.self), to: folder + "/cloud-init.yaml")
      return folder + "/cloud-init.yaml"
    }
    guard let bytes = FileManager.default.contents(atPath: file) else {
      throw Problem(
        what: "the cloud-init file can't be read", why: "there is no readable file \(file)",
        fix: "correct --cloud-init", exitStatus: .usage)
    }
    guard bytes.count <= Self.customDataLimit, bytes.starts(with: Data("#cloud-config".utf8)) else {
      throw Problem(
        what: "that is no cloud-init file that Azure takes",
        why: "it has \(bytes.count) bytes, \(Self.customDataLimit) are allowed, and has to begin with #cloud-config",
        fix: "correct --cloud-init, or leave it out", exitStatus: .usage)
    }
    return URL(filePath: file).path
  }

  // MARK: Scripts and programs

  /// Brings both programs and the scripts over SSH while the VM is on, and looks whether it can measure.
  /// - Returns: what is not as it should be.
  private func deliver(_ run: String) async throws -> [DoctorCheck] {
    let claim = MachineAccess.Claim(run: run + "-deliver", owner: ManifestBuilder.owner, lease: .seconds(900))
    let agent = try AgentBinary.find(environment: access.environment)
    let folder = BenchFolder(agent: agent)
    if folder.scripts == nil { note("there is no folder bench/ beside this program: the VM gets the programs only") }
    let archive = try await folder.pack()
    defer { try? FileManager.default.removeItem(atPath: archive) }  // a left-over in the temporary folder harms nobody
    return try await access.azureScope(claim, note: note).with { held in
      let address = try access.address(at: held.address, view: held.view)
      return try await withAgentSession(address, agent: agent, note: note) { session, _ in
        note("bringing scripts and programs to ~/bench")
        let unpack =
          "exec sh -c 'set -eu; umask 022; d=\"${CF_BENCH_BENCH:-$HOME/bench}\"; mkdir -p \"$d\"; tar -xzf - -C \"$d\"'"
        let output = try await session.connection.run(
          unpack, inputFile: archive, outputLimit: 64 << 10, limit: .seconds(300))
        guard output.exit == .status(0) else {
          throw DeliveryError(machine: address.name, words: String(decoding: output.standardError, as: UTF8.self))
        }
        let plan = PythonPlan(versions: access.settings.python, fallbackToSystem: false)
        guard
          case .doctor(let reply) = try await session.answer(
            to: .doctor(DoctorRequest(python: plan)), within: .seconds(120), waitingFor: "the VM's own checks")
        else { throw ConnectionEnded(machine: address.name, during: "the VM's own checks") }
        return reply.checks.filter { $0.status != .ok }
      }
    }.result
  }
}

/// What the far end's checks found, from inside the provisioning to its end.
private final class Findings: Sendable {
  private let value = Mutex<[DoctorCheck]>([])
  var all: [DoctorCheck] { value.withLock { $0 } }
  func add(_ checks: [DoctorCheck]) { value.withLock { $0 += checks } }
}

extension MachineAccess {
  /// Removes what is kept here for the VM: the key made for it, its host key.
  func forgetKeys() {
    _ = try? FileManager.default.removeItem(atPath: state.keys(of: settings.azure.machine))  // none: nothing to forget
  }
}

/// The folder `~/bench` of the VM, as an archive: the scripts, and both programs below `bin`.
struct BenchFolder {
  var agent: AgentBinary

  /// The scripts lie beside the programs of a release, or in the checkout that the programs were built in.
  var scripts: String? {
    let own = AgentBinary.ownFolder
    let places = [own + "/bench", own + "/../../bench", own + "/../../../bench"]
    return places.first { FileManager.default.fileExists(atPath: $0 + "/bench_all.sh") }
  }

  func pack() async throws -> String {
    let base = FileManager.default.temporaryDirectory.appending(path: "cf-bench-delivery-\(UUID().uuidString)").path
    let folder = base + ".d"
    try FileManager.default.createDirectory(atPath: folder + "/bin", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }  // as above
    if let scripts {
      for name in try FileManager.default.contentsOfDirectory(atPath: scripts)
      where !name.hasPrefix(".") && name != "bin" {
        try FileManager.default.copyItem(atPath: "\(scripts)/\(name)", toPath: "\(folder)/\(name)")
      }
    }
    try FileManager.default.copyItem(atPath: agent.path, toPath: folder + "/bin/cf-bench-agent")
    try FileManager.default.copyItem(atPath: Executable.path, toPath: folder + "/bin/cf-bench")
    _ = try await LocalTool.run("tar", ["-czf", base + ".tar.gz", "-C", folder, "."])
    return base + ".tar.gz"
  }
}

/// The program that runs.
enum Executable {
  static var path: String {
    let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path
    return own == "/proc/self/exe" ? CommandLine.arguments[0] : own
  }
}
