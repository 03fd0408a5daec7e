import CSpawn
import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite(
  "Measured code reaches neither keys nor other jobs nor the agent", .programs,
  .enabled(if: cf_landlock_abi() >= 2))
struct ConfinementTests {
  /// Tries everything and says on standard error what worked. Arguments: the person's home, the agent's home, and the names
  /// of the attempts where not all are to be made, or those to leave out, each behind a '-'.
  private static let attacks = """
    import ctypes, os, signal, stat, sys
    person, far = sys.argv[1], sys.argv[2]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    me = os.environ["HOME"].split("/scratch/")[0]

    def parent(pid):
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rsplit(")", 1)[1].split()[1])

    def arguments(pid):
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read().split("\\0")

    agents, pid = {}, os.getpid()
    while pid > 1:
        words = arguments(pid)
        if "cf-bench-agent" in words[0] and words[1] in ("work", "run", "serve"):
            agents[words[1]] = pid
        pid = parent(pid)
    assert "work" in agents and "run" in agents, agents

    def read(path):
        with open(path, "rb") as file:
            file.read(10)

    def write(path, mode="a"):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, mode) as file:
            file.write("")

    def environment(pid):
        with open(f"/proc/{pid}/environ", "rb") as file:
            assert b"planted" in file.read()

    def memory(pid):
        with open(f"/proc/{pid}/maps") as file:
            start = int(file.readline().split("-")[0], 16)
        with open(f"/proc/{pid}/mem", "rb", 0) as file:
            file.seek(start)
            file.read(16)

    def traced(pid):
        if libc.ptrace(0x4206, pid, None, None) != 0:  # PTRACE_SEIZE
            raise OSError(ctypes.get_errno(), "ptrace")

    def mounted():
        if libc.mount(b"none", os.environ["HOME"].encode(), b"tmpfs", 0, None) != 0:
            raise OSError(ctypes.get_errno(), "mount")

    def gains_by_setuid():
        with open("/proc/self/status") as file:
            assert "NoNewPrivs:\\t1" not in file.read()

    def renamed():
        path = os.environ["HOME"] + "/mine"
        write(path)
        os.rename(path, person + "/.ssh/authorized_keys2")

    tries = {
        "read the private key": lambda: read(person + "/.ssh/id_ed25519"),
        "list .ssh": lambda: os.listdir(person + "/.ssh"),
        "read .netrc": lambda: read(person + "/.netrc"),
        "read .azure": lambda: read(person + "/.azure/tokens.json"),
        "read another manifest": lambda: read(far + "/jobs/other/manifest.json"),
        "read another journal": lambda: read(far + "/jobs/other/journal.ndjson"),
        "list jobs": lambda: os.listdir(far + "/jobs"),
        "write authorized_keys": lambda: write(person + "/.ssh/authorized_keys"),
        "move over authorized_keys": renamed,
        "write .bashrc": lambda: write(person + "/.bashrc"),
        "empty .bashrc": lambda: os.truncate(person + "/.bashrc", 0),
        "write .profile": lambda: write(person + "/.profile"),
        "write a user unit": lambda: write(person + "/.config/systemd/user/x.service"),
        "write into cron": lambda: write("/etc/cron.d/cf-bench-canary"),
        "write into the agents": lambda: write(far + "/agents/sha/cf-bench-agent"),
        "add an agent": lambda: write(far + "/agents/new/cf-bench-agent"),
        "add a job": lambda: write(far + "/jobs/new/manifest.json"),
        "write its own journal": lambda: write(me + "/journal.ndjson"),
        "remove its own journal": lambda: os.rename(me + "/journal.ndjson", me + "/scratch/journal"),
        "write its own manifest": lambda: write(me + "/manifest.json"),
        "let go of its lock": lambda: write(me + "/runner"),
        "mount": mounted,
        "make a device": lambda: os.mknod(os.environ["HOME"] + "/disk", 0o600 | stat.S_IFBLK, os.makedev(254, 0)),
        "open kernel memory": lambda: read("/dev/kmsg"),
        "set core_pattern": lambda: os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)),
        "gain by setuid": gains_by_setuid,
    }
    for name, pid in agents.items():
        tries[f"see a secret in the environment of {name}"] = lambda pid=pid: environment(pid)
        tries[f"see the memory of {name}"] = lambda pid=pid: memory(pid)
        if name != "work":
            tries[f"signal {name}"] = lambda pid=pid: os.kill(pid, signal.SIGCONT)
            tries[f"trace {name}"] = lambda pid=pid: traced(pid)
    done, names = [], sys.argv[3:]
    only = [name for name in names if name[0] != "-"]
    for name, attempt in tries.items():
        if "-" + name in names or only and name not in only:
            continue
        try:
            attempt()
            done.append(name)
        except (OSError, AssertionError):
            pass
    if done:
        sys.exit("WORKED " + "; ".join(done))
    """

  /// What works although the job is confined, by the version of Landlock: what ``Confinement/gaps`` tells of it.
  private static func open(_ abi: Int32) -> [String] {
    (abi < 3 ? ["empty .bashrc"] : []) + (abi < 6 ? ["signal run", "signal serve"] : [])
  }

  /// As the kernel has them, each asked for no more than it knows.
  private static let versions = cf_landlock_abi() < 2 ? [] : Array(2...cf_landlock_abi())

  @Test(
    "of thirty attempts none works but what this version of Landlock can't stop and doctor tells of, and the job gets its results",
    arguments: versions)
  func attacked(abi: Int32) async throws {
    let began = ContinuousClock.now
    try await TestSupport.withTemporaryFolder { folder in
      var job = try ConfinedJob(in: folder)
      job.extra = ["GITHUB_TOKEN": "planted-in-the-login", "CF_BENCH_CONFINE": "\(abi)"]
      let open = Self.open(abi)
      let manifest = try job.manifest(
        "attacker", program: Self.attacks, arguments: [job.person, job.far] + open.map { "-" + $0 })
      let events = try job.events(try job.run(manifest))
      #expect(events.finished?.outcome == .done, "\(String(describing: events.finished)) \(events.troubles)")
      #expect(events.troubles.isEmpty && events.samples == 4, "\(events.troubles)")
      let phase = try #require(events.phases.first { $0.hasPrefix("measured code is sandboxed") })
      #expect(phase.contains("empty files") == (abi < 3) && phase.contains("signal") == (abi < 6), "\(phase)")
      #expect(try job.text("person/.ssh/authorized_keys") == "keys\n")
      #expect(try job.text("person/.bashrc") == "# shell\n")
      let supervisor = JobFolder(manifest.id, in: AgentHome(environment: job.environment))
      try await waitUntil { !(supervisor.runningPID() != nil) }
      #expect(!FileManager.default.fileExists(atPath: job.far + "/jobs/attacker/scratch"))
      let trials = 34 - open.count
      TrialReport.print(
        "attacks by measured code", trials: trials, held: events.troubles.isEmpty ? trials : 0,
        worst: "\(events.troubles.count) worked", since: began)
    }
  }

  @Test("what a version of Landlock can't stop works under it: it is told because it is so")
  func gaps() async throws {
    try await TestSupport.withTemporaryFolder { folder in
      var job = try ConfinedJob(in: folder)
      job.extra = ["CF_BENCH_CONFINE": "2"]
      let open = Self.open(2).filter { $0 != "signal serve" }  // it ends with the session that follows
      let manifest = try job.manifest(
        "attacker", program: Self.attacks, arguments: [job.person, job.far] + open, blocks: 1)
      let words = try job.events(try job.run(manifest)).troubles.compactMap(\.why).joined()
      for attempt in open { #expect(words.contains(attempt), "\(words)") }
    }
  }

  @Test("without confinement the same attempts work: it is the confinement that stops them")
  func unconfined() async throws {
    try await TestSupport.withTemporaryFolder { folder in
      var job = try ConfinedJob(in: folder)
      job.extra = ["CF_BENCH_CONFINE": "no"]
      // Only what does no harm outside of the test's folder.
      let attempts = [
        "read the private key", "list .ssh", "read another journal", "write .bashrc", "write into the agents",
        "write its own manifest", "signal run",
      ]
      let manifest = try job.manifest(
        "attacker", program: Self.attacks, arguments: [job.person, job.far] + attempts, blocks: 1)
      let events = try job.events(try job.run(manifest))
      let words = events.troubles.compactMap(\.why).joined()
      for attempt in attempts { #expect(words.contains(attempt), "\(words)") }
      #expect(events.phases.contains { $0.contains("unconfined") && $0.contains("CF_BENCH_CONFINE") })
    }
  }

  @Test("what programs need still works: temporary files, processes, shared memory, compiling, the tools' caches")
  func useful() async throws {
    try await TestSupport.withTemporaryFolder { folder in
      let job = try ConfinedJob(in: folder)
      let program = """
        import multiprocessing, os, pathlib, shutil, socket, subprocess, sys, tempfile
        with tempfile.TemporaryDirectory() as folder:
            inner = pathlib.Path(folder, "a"); inner.mkdir()
            (inner / "x.py").write_text("y = 1")
            os.rename(inner / "x.py", pathlib.Path(folder, "y.py"))
            shutil.copytree(folder, folder + "-copy"); shutil.rmtree(folder + "-copy")
        assert subprocess.run([sys.executable, "-c", "pass"], stdout=subprocess.DEVNULL).returncode == 0
        lock = multiprocessing.Lock()
        with lock: pass
        left, right = socket.socketpair(); left.send(b"x"); assert right.recv(1) == b"x"
        server = socket.create_server(("127.0.0.1", 0)); server.close()
        open("/dev/null", "w").write("x"); open("/dev/urandom", "rb").read(8)
        os.listdir("/usr/bin"); os.listdir(os.getcwd())
        os.kill(os.getpid(), 0)
        """
      let events = try job.events(try job.run(try job.manifest("useful", program: program)))
      #expect(events.finished?.outcome == .done && events.samples == 4, "\(events.troubles)")
    }
  }

  @Test("doctor says what is missing")
  func doctor() {
    func words(_ abi: Int32, _ environment: [String: String] = [:]) -> String? {
      Confinement(environment, kernel: abi, isRoot: false).obstacle
    }
    #expect(words(0)?.contains("no Landlock") == true && words(1)?.contains("5.19") == true && words(4) == nil)
    #expect(Confinement(["CF_BENCH_CONFINE": "4"], kernel: 7).abi == 4)
    #expect(Confinement(["CF_BENCH_CONFINE": "9"], kernel: 7).abi == 7)
    #expect(Confinement([:], kernel: 2, isRoot: false).gaps.contains { $0.contains("empty") })
    #expect(words(7, ["CF_BENCH_CONFINE": "no"])?.contains("CF_BENCH_CONFINE") == true)
    #expect(Confinement([:], kernel: 4, isRoot: false).gaps.contains { $0.contains("signal") })
    #expect(Confinement([:], kernel: 7, isRoot: true).gaps.contains { $0.contains("root") })
    #expect(!Confinement([:], kernel: 7, isRoot: false).gaps.contains { $0.contains("signal") || $0.contains("root") })
  }
}
