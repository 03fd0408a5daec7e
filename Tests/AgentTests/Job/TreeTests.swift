import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("Whatever a job started is gone when it ends", .programs)
struct TreeTests {
  /// Lets go of its parents, its session, its environment and its ears, writes down its number, and stays.
  private static let nasty = """
    import os, sys, time
    stays = '''
    import os, signal, sys, time
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    with open(sys.argv[1], "a") as file:
        file.write(f"{os.getpid()}\\\\n")
    time.sleep(600)
    '''
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            null = os.open("/dev/null", os.O_RDWR)
            for number in range(3):
                os.dup2(null, number)
            os.execve(sys.executable, [sys.executable, "-c", stays, sys.argv[1]], {})
        os._exit(0)
    os.wait()
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.01)
    time.sleep(float(sys.argv[2]))
    """

  private func manifest(_ name: String, pids: String, stays seconds: Double) throws -> JobManifest {
    var manifest = try Manifests.sleeping(name: name, blocks: 2)
    let words = ["python", "-c", Self.nasty, pids, "\(seconds)"]
    manifest.layers.startup?.commands = [StartupCommand(name: "nasty", arguments: words, isControl: false)]
    manifest.layers.startup?.timeoutSeconds = 100
    return manifest
  }

  private func pids(_ path: String) -> [pid_t] {
    (MachineFiles().text(path) ?? "").split(separator: "\n").compactMap { pid_t($0) }
  }

  private func alive(_ path: String) -> [pid_t] {
    let all = Set(ProcessTree.census().filter { !$0.isZombie }.map(\.pid))
    return pids(path).filter(all.contains)
  }

  /// An agent's home, and a folder beside it into which a job may write.
  private func withPlaces(_ body: (_ home: String, _ free: String) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      for name in ["far", "free"] {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
      }
      try await body(folder + "/far", folder + "/free")
    }
  }

  private func talk(_ home: String, cgroup: Bool) -> Conversation {
    Conversation(home: home, settings: cgroup ? [:] : ["CF_BENCH_CGROUP": "no"])
  }

  @Test(
    "cancelled, it leaves no process: not one that made its own session, dropped its environment and ignores signals",
    arguments: [true, false])
  func cancelled(cgroup: Bool) async throws {
    try await withPlaces { home, free in
      let talk = talk(home, cgroup: cgroup)
      let (trials, began) = (TrialReport.count(usual: 2), ContinuousClock.now)
      var (held, worst) = (0, 0.0)
      for trial in 0..<trials {
        let path = "\(free)/pids-\(trial)"
        let manifest = try manifest("nasty-\(trial)", pids: path, stays: 90)
        let folder = talk.folder(manifest.id)
        _ = try talk.send([.submit(SubmitRequest(manifest: manifest))])
        try await waitUntil { !(pids(path).isEmpty) }
        #expect((MachineFiles().text(folder.cgroupNote) != nil) == cgroup, "making a group needs root here")
        let asked = MonotonicClock.seconds
        _ = try talk.send([
          .cancel(CancelRequest(job: manifest.id)), .attach(AttachRequest(job: manifest.id, after: 0)),
        ])
        let left = alive(path)
        let seconds = MonotonicClock.seconds - asked
        worst = max(worst, seconds)
        #expect(left.isEmpty && !pids(path).isEmpty)
        #expect(folder.lastWord?.outcome == .cancelled)
        let journal = try String(contentsOfFile: folder.journal, encoding: .utf8)
        #expect(!journal.contains(#""type":"trouble""#), "what a cancel killed is not broken: \(journal)")
        try await waitUntil { !(folder.hasRunner) }
        #expect(MachineFiles().text(folder.cgroupNote) == nil)
        if left.isEmpty, seconds < 15 { held += 1 }
      }
      let name = "cancels of a job that hides\(cgroup ? "" : ", without a control group")"
      TrialReport.print(name, trials: trials, held: held, worst: String(format: "%.1f s", worst), since: began)
    }
  }

  @Test("done, it leaves none either", arguments: [true, false])
  func done(cgroup: Bool) async throws {
    try await withPlaces { home, free in
      let talk = talk(home, cgroup: cgroup)
      let path = free + "/pids"
      let manifest = try manifest("leaves", pids: path, stays: 0)
      _ = try talk.send([.submit(SubmitRequest(manifest: manifest))])
      let events = try talk.follow(manifest.id)
      #expect(alive(path).isEmpty && pids(path).count > 4)
      guard case .finished(let finished)? = events.last else { return #expect(Bool(false), "no last word") }
      #expect(finished.outcome == .done, "\(String(describing: finished.problem))")
    }
  }

  @Test("killed with all that kept it, it leaves nothing for the next runner to trip over")
  func supervisorKilled() async throws {
    try await withPlaces { home, free in
      let talk = talk(home, cgroup: true)
      let path = free + "/pids"
      let manifest = try manifest("orphans", pids: path, stays: 90)
      let folder = talk.folder(manifest.id)
      _ = try talk.send([.submit(SubmitRequest(manifest: manifest))])
      try await waitUntil { !(pids(path).isEmpty) }
      let orphans = pids(path)
      let supervisor = try #require(folder.runningPID())
      kill(supervisor, SIGKILL)
      try await waitUntil { !(folder.hasRunner) }
      #expect(alive(path) == orphans, "nobody is there who could end them")
      _ = try talk.send([.cancel(CancelRequest(job: manifest.id))])
      _ = try talk.follow(manifest.id)
      #expect(alive(path).isEmpty && folder.lastWord?.outcome == .cancelled)
    }
  }

  @Test("the group's place is found in the kernel's tables, wherever version 2 is mounted")
  func mounts() {
    let hybrid = """
      31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
      35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
      41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw
      """
    #expect(JobCgroup.mount(hybrid)?.point == "/sys/fs/cgroup/unified")
    let pure = "29 23 0:26 /inner /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"
    #expect(JobCgroup.mount(pure)?.point == "/sys/fs/cgroup" && JobCgroup.mount(pure)?.root == "/inner")
    #expect(JobCgroup.mount("") == nil)
  }
}
