/// A variable `CF_BENCH_…` that is no setting. Both programs' are here, and so are those of the VM and of this repository's tests:
/// whoever has one set for one of them can still use the others. The documents' list is `docs/variables.md`.
public struct ProgramVariable: Sendable {
  public enum Reader: String, Sendable { case controller, agent, both, action, vm, development }

  public static let prefix = "CF_BENCH_"

  public var name: String
  public var reader: Reader
  public var meaning: String

  private init(_ reader: Reader, _ name: String, _ meaning: String) {
    self.name = Self.prefix + name
    self.reader = reader
    self.meaning = meaning
  }

  public static let all: [ProgramVariable] = [
    .init(.both, "HOME", "the agent's home on the benchmark host (~/.cf-bench)"),
    .init(.both, "LOCK", "the lock file that all jobs of a benchmark host share"),
    .init(.both, "BENCH", "the folder on the VM for scripts of bench/ (~/bench)"),
    .init(.agent, "CGROUP", "no: jobs get no control group"),
    .init(
      .agent, "CONFINE", "no: measured code is not confined; a number: by no more than that version of Landlock can"),
    .init(.agent, "AGENT_PACE", "for tests: a factor up to 1 on the agent's pauses"),
    .init(.agent, "KEEP_JOBS", "how many ended jobs are kept at most"),
    .init(.agent, "KEEP_DAYS", "for how many days an ended job is kept at most"),
    .init(.agent, "KEEP_BYTES", "how many bytes ended jobs may take"),
    .init(.agent, "AS_DEFAULT", "set by the controller for an agent that it has just installed"),
    .init(
      .agent, "PADDING", "set by the agent for measured programs: makes the environment a different size in each block"),
    .init(.controller, "AGENT", "the agent's program that is brought to benchmark hosts (the one beside cf-bench)"),
    .init(.controller, "AZ", "the program az"),
    .init(.controller, "GH", "the program gh"),
    .init(.controller, "STATE", "the folder for keys, intents and the ledger of costs"),
    .init(
      .controller, "PRICES", "table: only the built-in prices are used; an address: Azure's public list is read there"),
    .init(.controller, "KEY_PASSPHRASE", "opens the key of ssh.identity"),
    .init(.controller, "RUN", "set by cf-bench for the calls of az that belong to one run"),
    .init(.controller, "LINE_PACE", "for tests: a factor up to 1 on the pauses and limits of a lost connection"),
    .init(.controller, "GITHUB_PACE", "for tests: a factor on the pauses between calls of GitHub"),
    .init(.action, "BIN", "set by the action: the folder of the programs"),
    .init(.action, "RELEASES", "the repository whose releases the action installs"),
    .init(.action, "RELEASE_URL", "where the action takes releases from"),
    .init(.action, "RELEASE_PINS", "the file with the digests of releases"),
    .init(.action, "SSH_KEY", "the name of the secret with the key for the benchmark host"),
    .init(.action, "REPOSITORY", "set by this repository's own workflow"),
    .init(.vm, "HARD_SECONDS", "the watchdog's hard limit"),
    .init(.vm, "IDLE_SECONDS", "the watchdog's idle limit"),
    .init(.vm, "GRACE_SECONDS", "how long after the last lease the watchdog stops the VM"),
    .init(.vm, "WATCHDOG_CONF", "the watchdog's settings file"),
    .init(.vm, "UPTIME_FILE", "the file from which the watchdog reads how long the VM has been up"),
    .init(.vm, "IMDS", "the address of Azure's metadata service"),
    .init(.vm, "ARM", "the address of Azure's resource manager"),
    .init(.vm, "HOMES", "agents' homes whose jobs keep the VM on, separated by colons"),
    .init(.vm, "LOG", "the watchdog's log file"),
    .init(.vm, "PAUSE", "seconds between the first two tries of a download; doubled after each"),
    .init(.vm, "TRIES", "how often a download is tried"),
    .init(.vm, "USER", "the login that measures"),
    .init(.vm, "ADMIN", "the login with sudo, for repairs"),
    .init(.vm, "SSH_PORT", "the port of the SSH server"),
    .init(.vm, "PACKAGES", "system packages to install"),
    .init(.vm, "PYTHONS", "versions of Python to install"),
    .init(.vm, "PYTHON_MIRROR", "a mirror for uv's builds of Python"),
    .init(.vm, "PYTHON_LIST", "a list of builds of Python in place of uv's own"),
    .init(.vm, "PYPI", "the index of Python packages"),
    .init(.vm, "CODEFLASH", "the git repository that is cloned to ~/codeflash"),
    .init(.vm, "HYPERFINE_FROM", "the address below which hyperfine's releases are"),
    .init(.vm, "HYPERFINE_VERSION", "its version"),
    .init(.vm, "HYPERFINE_SHA256", "its digest"),
    .init(.development, "TEST_ALL", "1: every case of long tables"),
    .init(.development, "TEST_SEED", "a seed: the same parts of long tables are drawn again"),
    .init(.development, "TEST_TRIALS", "how many trials a fault test makes"),
    .init(.development, "TEST_KILLS", "how many kills the trials in Azure make"),
    .init(.development, "FAULT_SEED", "a seed: the fault tests make the same choices again"),
    .init(.development, "FAULT_SHARE", "the share of its trials that make faults runs"),
    .init(.development, "FUZZ_TARGET", "the target that make fuzz feeds"),
    .init(.development, "FUZZ_SEEDS", "the folder with its seeds"),
    .init(.development, "WRITE_GOLDENS", "writes golden files anew"),
    .init(.development, "BUILT", "the folder with the programs that a release is packed from"),
  ]
  public static let names = Set(all.map(\.name))

  /// Inputs of the action, which it hands on.
  public static let inputs = prefix + "CI_"

  public static func isKnown(_ name: String) -> Bool { names.contains(name) || name.hasPrefix(inputs) }
}
