import CSpawn
import FoundationEssentials
import Glibc
import Shared

/// Keeps what a job builds and measures from everything that is not its own: keys, other jobs, the agent, the machine.
///
/// The worker goes under the rules itself, once its sides' code is fetched and before any of it runs; all that it starts
/// inherits them. See landlock(7).
struct Confinement {
  /// In the environment of the benchmark host's login: `no` switches it off; a number has it ask for no more than that
  /// version of Landlock knows, so that what older kernels do can be tried on a newer one.
  static let variable = "CF_BENCH_CONFINE"
  /// The first version in which files can be moved between folders, without which uv can't install (Linux 5.19).
  private static let oldest: Int32 = 2
  /// The first version that keeps files from being emptied by their names (truncate(2), Linux 6.2).
  private static let withTruncation: Int32 = 3
  /// The first version that keeps signals inside (Linux 6.12).
  private static let withScopes: Int32 = 6

  let abi: Int32
  private let isRoot: Bool
  private let isOff: Bool

  init(_ environment: [String: String], kernel: Int32 = cf_landlock_abi(), isRoot: Bool = geteuid() == 0) {
    let word = environment[Self.variable]?.lowercased()
    abi = min(kernel, word.flatMap { Int32($0) } ?? kernel)
    isOff = word == "no"
    self.isRoot = isRoot
  }

  /// Why jobs run unconfined here; `nil` where they are confined.
  var obstacle: String? {
    if isOff { return "\(Self.variable)=no says so" }
    if abi == 0 { return "the kernel has no Landlock, or it is switched off there" }
    if abi < Self.oldest { return "the kernel's Landlock is too old: Linux 5.19 or later has what is needed" }
    return nil
  }

  /// What a confined job could do here all the same.
  var gaps: [String] {
    var gaps: [String] = []
    if abi < Self.withTruncation { gaps.append("empty files that it can't write to (Linux 6.2 keeps it from that)") }
    if abi < Self.withScopes { gaps.append("signal this user's processes (Linux 6.12 keeps it from that)") }
    if isRoot { gaps.append("do what only root may (use an unprivileged login)") }
    let sockets = ["/var/run/docker.sock", "/run/user/\(geteuid())/bus"].filter { (path: String) in
      access(path, W_OK) == 0
    }
    if !sockets.isEmpty { gaps.append("talk to \(sockets.joined(separator: " and "))") }
    return gaps
  }

  /// Goes under the rules, for good. Only for a process with one thread.
  /// - Returns: words for a person about what holds from now on.
  /// - Throws: ``Problem`` where the kernel offers it and it fails all the same: nothing is run then.
  func enter(_ places: ConfinedPlaces) throws -> String {
    if let obstacle {
      return "measured code runs unconfined: \(obstacle)"
    }
    for folder in [places.scratch] + places.caches {
      // One that can't be made is missed by whoever needs it, and said there.
      _ = try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    let rules = cf_landlock_new(abi)
    guard rules >= 0 else { throw failure("making its rules", -rules) }
    for rule in places.tree.rules(entries: CanonicalPath.entries) {
      // What is gone since it was listed, or can't be looked at, is simply not allowed.
      _ = cf_landlock_allow(rules, abi, rule.path, Int32(rule.access == .write ? cf_may_write : cf_may_read), 0)
    }
    for device in ConfinedPlaces.devices { _ = cf_landlock_allow(rules, abi, device, Int32(cf_may_use_device), 0) }
    for knob in places.knobs { _ = cf_landlock_allow(rules, abi, CanonicalPath.of(knob), Int32(cf_may_write), 1) }
    let capabilities = cf_give_up_capabilities()
    guard capabilities == 0 else { throw failure("giving up capabilities", capabilities) }
    let entered = cf_landlock_enter(rules)
    guard entered == 0 else { throw failure("going under its rules", entered) }
    cf_close_memory()
    let rest = gaps.isEmpty ? "" : "; it can still \(gaps.joined(separator: ", "))"
    return "measured code is sandboxed to its own files and processes\(rest)"
  }

  private func failure(_ step: String, _ code: Int32) -> Problem {
    Problem(
      what: "the measured code could not be confined, so it was not run",
      why: "\(step) failed: \(String(cString: strerror(code)))",
      fix: "see what cf-bench doctor says of far.confinement; \(Self.variable)=no for that login measures without",
      exitStatus: .infrastructure)
  }
}

extension Confinement {
  /// A login's environment as far as the sides' builds and tools get it: without what opens doors, and with a folder for
  /// temporary files that goes with the job.
  static func environment(_ environment: [String: String], scratch: String) -> [String: String] {
    var kept = environment.filter { name, _ in
      // Those of package indexes are what an install needs.
      !SecretNames.isSecret(name) || name.hasPrefix("UV_") || name.hasPrefix("PIP_")
    }
    for name in ["SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST"] {
      kept[name] = nil
    }
    kept["TMPDIR"] = temporary(scratch)
    return kept
  }

  static func temporary(_ scratch: String) -> String { scratch + "/tmp" }
}
