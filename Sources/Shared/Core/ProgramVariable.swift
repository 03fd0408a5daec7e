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
    .init(.agent, "CONFINE", "no: measured code is not confined"),
    .init(.agent, "KEEP_JOBS", "how many ended jobs are kept"),
    .init(.agent, "KEEP_DAYS", "for how many days an ended job is kept"),
    .init(.agent, "KEEP_BYTES", "how many bytes ended jobs may take"),
    .init(.agent, "AS_DEFAULT", "set by the controller for an agent that it has just installed"),
    .init(
      .agent, "PADDING", "set by the agent for measured programs: makes the environment a different size in each block"),
    .init(.controller, "AGENT", "the agent's program that is brought to benchmark hosts (the one beside cf-bench)"),
    .init(.controller, "AZ", "the program az"),
    .init(.controller, "GH", "the program gh"),
    .init(.controller, "STATE", "the folder for keys, intents and the ledger of costs"),
    .init(.controller, "PRICES", "table: Azure's prices are not asked for; an address: they are asked for there"),
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
    .init(.vm, "UPTIME_FILE", "where the watchdog reads for how long the VM is up"),
    .init(.vm, "IMDS", "the address of Azure's metadata service"),
    .init(.vm, "ARM", "the address of Azure's resource manager"),
    .init(.vm, "HOMES", "homes in which jobs are looked for"),
    .init(.vm, "LOG", "the log of the first boot"),
    .init(.vm, "PAUSE", "the pause between tries of the first boot"),
    .init(.vm, "TRIES", "how often a step of the first boot is tried"),
    .init(.vm, "USER", "the login that measures"),
    .init(.vm, "ADMIN", "the login that administers"),
    .init(.vm, "SSH_PORT", "the port of the SSH server"),
    .init(.vm, "PACKAGES", "Debian packages that are installed"),
    .init(.vm, "PYTHONS", "versions of Python that are installed"),
    .init(.vm, "PYTHON_MIRROR", "a mirror for builds of Python"),
    .init(.vm, "PYTHON_LIST", "the list of builds of Python"),
    .init(.vm, "PYPI", "an index of Python packages"),
    .init(.vm, "CODEFLASH", "the release of codeflash that is cached"),
    .init(.vm, "HYPERFINE_FROM", "where hyperfine is taken from"),
    .init(.vm, "HYPERFINE_VERSION", "its version"),
    .init(.vm, "HYPERFINE_SHA256", "its digest"),
    .init(.development, "TEST_ALL", "every case of long tables"),
    .init(.development, "TEST_TRIALS", "how many trials a fault test makes"),
    .init(.development, "TEST_KILLS", "how many kills the trials in Azure make"),
    .init(.development, "FAULT_SEED", "the choices of a fault test again"),
    .init(.development, "FAULT_SHARE", "the share of trials that make faults does"),
    .init(.development, "FUZZ_TARGET", "what make fuzz feeds"),
    .init(.development, "FUZZ_SEEDS", "where its seeds are"),
    .init(.development, "WRITE_GOLDENS", "writes golden files anew"),
    .init(.development, "BUILT", "the folder of programs that a release is packed from"),
  ]
  public static let names = Set(all.map(\.name))

  /// Inputs of the action, which it hands on.
  public static let inputs = prefix + "CI_"

  public static func isKnown(_ name: String) -> Bool { names.contains(name) || name.hasPrefix(inputs) }
}
