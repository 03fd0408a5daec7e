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

  func provision(cloudInit: String?, _ refreshes: Bool) async throws -> ProvisionedDocument {
    try await access.settle(note: note)
    let run = "provision-\(Timestamp.folder())"
    let found = Findings()
    let made = try await provisioner(run, cloudInit, refreshes).provision(
      prepare: { try await prepareLogin(isThere: $0) }, learned: { try hostKey.pin($0) },
      whenOn: { found.add(try await deliver(run)) })
    return ProvisionedDocument(
      vm: vm.description, made: made.done, hostKey: made.hostKey, outcome: made.end?.words, findings: found.all)
  }

  /// Nothing is changed in Azure; the cloud-init file that the calls name is written.
  func dryRun(cloudInit: String?, _ refreshes: Bool) async throws -> ProvisionedDocument {
    let run = "provision-\(Timestamp.folder())"
    let (calls, isThere) = try await provisioner(run, cloudInit, refreshes).dryRun()
    let isKeyNeeded = !isThere && !FileManager.default.fileExists(atPath: publicKey)
    let key = isKeyNeeded ? ["# a key to log in with", ShellWords.join(["ssh-keygen"] + keygenArguments)] : []
    let price = await price()
    return ProvisionedDocument(
      vm: vm.description, calls: key + calls + ["# monthly price: \(price)"], made: [], price: price)
  }

  /// What it costs each month whether it is used or not, and each hour that it is on.
  private func price() async -> String {
    let book = access.azureClient.prices
    await book.refresh(size: azure.size, diskGB: azure.diskGB, location: azure.location)
    let prices = book.prices(size: azure.size, diskGB: azure.diskGB, location: azure.location)
    guard let fixed = prices.fixedPerMonth, let compute = prices.compute else { return "price not known" }
    return "\(Dollars.text(fixed)) for disk and address, and \(Dollars.text(compute.usd)) for each hour that it is on "
      + "(\(compute.origin))"
  }

  private func provisioner(
    _ run: String, _ cloudInit: String?, _ refreshes: Bool
  ) throws -> Provisioner {
    let data = try customData(cloudInit)
    let spec = MachineSpec(settings: azure, publicKey: publicKey, cloudInit: try keep(data), customData: data)
    return Provisioner(
      client: access.azureClient, spec: spec, run: run, owner: ManifestBuilder.owner, refreshes: refreshes,
      trusted: hostKey.pinned, note: note)
  }

  // MARK: Keys

  private var ownKey: String { access.state.keys(of: vm) + "/id_ed25519" }
  /// The public half of the key that is set, or of the one made for this VM.
  private var publicKey: String { (access.identity.keyFile ?? ownKey) + ".pub" }

  /// A VM takes the key that it is made with. For one that is there a new key would open nothing, so none is made.
  private func prepareLogin(isThere: Bool) async throws {
    if isThere { return lookForLogin() }
    if let file = access.identity.keyFile {
      guard FileManager.default.isReadableFile(atPath: publicKey) else {
        throw Problem(
          what: "the public half of \(file) is missing", why: "there is no readable file \(publicKey)",
          fix: "ssh-keygen -y -f \(file) > \(publicKey)", exitStatus: .usage)
      }
      return
    }
    if [ownKey, publicKey].allSatisfy(FileManager.default.fileExists) { return }
    note("making a key for the VM: \(ownKey)")
    try access.state.make(access.state.keys(of: vm))
    _ = try await LocalTool.line("ssh-keygen", keygenArguments)
  }

  private func lookForLogin() {
    guard access.identity.keyFile == nil, !FileManager.default.fileExists(atPath: ownKey) else { return }
    note(
      "this machine has no key made for the VM, so your ssh-agent and ~/.ssh are tried: bring \(ownKey) from the machine "
        + "that made the VM, or name the key with --identity FILE")
  }

  private var keygenArguments: [String] { ["-q", "-t", "ed25519", "-N", "", "-C", "cf-bench \(vm)", "-f", ownKey] }

  // MARK: Custom data

  /// The file that is named, or the one that cf-bench brings along.
  private func customData(_ file: String?) throws -> CustomData {
    guard let file else {
      let own = String(decoding: PackageResources.cloud_init_yaml, as: UTF8.self)
      return try CustomData(cloudConfig: own, source: "the file of this release", limits: azure.watchdog)
    }
    guard let bytes = FileManager.default.contents(atPath: file), let text = String(data: bytes, encoding: .utf8) else {
      throw Problem(
        what: "the cloud-init file can't be read", why: "there is no readable text in \(file)",
        fix: "correct --cloud-init", exitStatus: .usage)
    }
    return try CustomData(cloudConfig: text, source: file, limits: azure.watchdog)
  }

  /// Beside the keys, for the calls that name it, and as a record of what was sent last.
  private func keep(_ data: CustomData) throws -> String {
    let folder = access.state.keys(of: vm)
    try access.state.make(folder)
    try access.state.write(data.text, to: folder + "/cloud-init.yaml")
    return folder + "/cloud-init.yaml"
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
    defer { archive.discard() }
    return try await access.azureScope(claim, note: note).with { held in
      let address = try access.address(at: held.address, view: held.view)
      return try await withAgentSession(address, agent: agent, note: note) { session, _ in
        note("bringing scripts and programs to ~/bench")
        if let connection = session.connection { try await archive.deliver(over: connection, to: address.name) }
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

/// What the benchmark host's checks found, from inside the provisioning to its end.
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
