import Glibc
import Shared

/// What a job may touch on its machine: it reads what programs and Python need, writes where a job's own things lie, and
/// finds neither keys nor other jobs.
struct ConfinedPlaces {
  var home: AgentHome
  /// The job's own folder, of which it reads all and writes only ``scratch``.
  var job: String
  var scratch: String
  var environment: [String: String]
  var isRoot: Bool
  /// Whether the job puts back what it tuned at the machine.
  var tunes: Bool

  /// Keys, passwords and histories in a person's home.
  static let secretNames = [
    ".ssh", ".gnupg", ".azure", ".aws", ".docker", ".kube", ".netrc", ".git-credentials", ".pypirc", ".npmrc",
    ".cargo/credentials.toml", ".cargo/credentials", ".config/gh", ".config/hub", ".config/gcloud",
    ".config/git/credentials", ".config/containers", ".config/rclone", ".config/pypoetry/auth.toml",
    ".config/google-chrome", ".config/chromium", ".mozilla", ".password-store", ".local/share/keyrings",
    ".local/share/uv/credentials", ".local/state/cf-bench", ".terraform.d", ".vault-token", ".pgpass", ".my.cnf",
    ".bash_history", ".zsh_history", ".python_history",
  ]

  /// What only root can read anyway, and root's job must not.
  private static let systemSecrets = [
    "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers", "/etc/sudoers.d", "/etc/ssh",
    "/etc/ssl/private", "/var/lib/waagent", "/var/lib/cloud", "/var/spool/cron",
  ]

  /// What every program may use of /dev; disks, memory and the like it may not.
  static let devices = [
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts",
  ]

  var tree: AccessTree {
    var tree = AccessTree(root: .read)
    func set(_ path: String, _ access: AccessTree.Access) { tree.set(CanonicalPath.of(path), access) }
    for path in ["/tmp", "/var/tmp"] { set(path, .write) }
    set("/dev", .none)
    set("/dev/shm", .write)
    // A user's own processes are told things there; root's would reach the whole machine's settings.
    for path in ["/proc", "/sys"] { set(path, isRoot ? .read : .write) }
    for path in ["/run/user", "/run/secrets", "/run/credentials", "/var/run/secrets"] { set(path, .none) }
    if isRoot { for path in Self.systemSecrets { set(path, .none) } }
    for person in homes where CanonicalPath.of(person) != "/" { set(person, .read) }
    for path in caches { set(path, .write) }
    set(home.path, .read)
    for path in [home.environments, home.checkouts] { set(path, .write) }
    if tunes { set(AccessTree.parent(of: home.tuningRecord), .write) }
    for person in homes { for name in Self.secretNames { set("\(person)/\(name)", .none) } }
    set(home.jobs, .none)
    set(job, .read)
    set(scratch, .write)
    return tree
  }

  /// Files of the kernel that a job may write into as root: what it tuned, and the page cache.
  var knobs: [String] {
    guard isRoot else { return [] }
    let tuned = tunes ? KernelKnob.all(MachineFiles()).flatMap(\.paths) : []
    return ["/proc/sys/vm/drop_caches"] + tuned
  }

  /// This user's, by both of its names; all people's where root could read them.
  private var homes: [String] {
    var homes = [environment["HOME"] ?? "", Self.accountHome]
    if isRoot { homes += ["/root"] + CanonicalPath.entries(of: "/home").map { "/home/\($0)" } }
    return homes.filter { $0.hasPrefix("/") }.map(CanonicalPath.of)
  }

  /// What uv and pip keep between jobs.
  var caches: [String] {
    let home = environment["HOME"] ?? Self.accountHome
    let cache = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(home)/.cache"
    return [cache] + ["UV_CACHE_DIR", "PIP_CACHE_DIR"].compactMap { environment[$0] }.filter { $0.hasPrefix("/") }
  }

  private static var accountHome: String {
    guard let entry = getpwuid(geteuid()), let folder = entry.pointee.pw_dir else { return "" }
    return String(cString: folder)
  }
}
