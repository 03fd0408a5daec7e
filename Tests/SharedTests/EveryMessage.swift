import Foundation
import Shared

/// One value of every kind that goes over the wire, with every optional field once there and once not.
enum EveryMessage {
  static func id() throws -> JobID {
    guard let id = JobID("20260131T123456Z-ada_laptop.1") else { throw Impossible() }
    return id
  }
  static func upload() throws -> UploadID {
    guard let upload = UploadID(sha256: SHA256.hex("upload".utf8)) else { throw Impossible() }
    return upload
  }
  struct Impossible: Error {}

  static func manifests() throws -> [JobManifest] {
    let startup = StartupPlan(
      commands: [
        StartupCommand(name: "codeflash --version", arguments: ["codeflash", "--version"], isControl: false),
        StartupCommand(name: "python -c pass", arguments: ["python", "-c", "pass"], isControl: true),
      ], blocks: 14, warmupRuns: 1, importRuns: 5, timeoutSeconds: 60)
    let micro = MicroPlan(
      targets: [
        MicroTarget(
          name: "parse", group: "discovery", candidates: ["codeflash.models.models:CodeStringsMarkdown.parse"],
          setup: "def call():\n  target('```python\\n```')")
      ], blocks: 14, repeats: 5, repeatSeconds: 0.02, timeoutSeconds: 60, profileTop: 15,
      longestCallSeconds: 10, suite: BenchmarkSuite(path: "tests/benchmarks", only: ["test_parse"]))
    let run = CodeflashRunPlan(project: try upload(), answers: .live)
    let optimize = OptimizePlan(run: run, form: .auto, budgetSeconds: 240, blocks: 1, keepsRecordings: true)
    let memory = MemoryPlan(run: run, commands: startup.commands, blocks: 3, measuresRun: true, top: 200)
    let sources: [SideSource] = [
      .release(requirement: "codeflash==0.20.5"), .git(repository: "https://example.org/a b.git", ref: "perf/x"),
      .bundle(upload: try upload(), commit: "0123456789abcdef"), .tree(upload: try upload()),
    ]
    return try sources.map { source in
      JobManifest(
        id: try id(), createdAt: Timestamp.rfc3339(), owner: "ada@läptop",
        target: TargetPlan(package: "codeflash", importName: "codeflash"),
        sides: [
          SidePlan(side: .base, label: "main", source: source), SidePlan(side: .head, label: "x", source: source),
        ],
        python: PythonPlan(versions: ["3.12", "3.14"], fallbackToSystem: true), requirements: ["pytest<9.2"],
        layers: LayerPlans(startup: startup, micro: micro, optimize: optimize, memory: memory), seed: 42,
        limits: JobLimits())
    } + [
      JobManifest(
        id: try id(), createdAt: Timestamp.rfc3339(), owner: "ada@laptop",
        target: TargetPlan(package: "p", importName: "p"),
        sides: [SidePlan(side: .head, label: "x", source: sources[0])],
        python: PythonPlan(versions: ["/usr/bin/python3"], fallbackToSystem: false), requirements: [],
        layers: LayerPlans(), seed: 0, limits: JobLimits(queueSeconds: 0.5, setupSeconds: 1, totalSeconds: 2),
        tune: true, branch: "codeflash perf/x", secrets: ["CODEFLASH_API_KEY"],
        profiles: .moved)
    ]
  }

  static func requests() throws -> [AgentRequest] {
    [
      .hello(HelloRequest()), .attach(AttachRequest(job: try id(), after: 0)), .cancel(CancelRequest(job: try id())),
      .uploads(UploadsRequest(uploads: [try upload()])), .uploads(UploadsRequest(uploads: [])),
      .doctor(
        DoctorRequest(
          python: PythonPlan(versions: ["3.12"], fallbackToSystem: false), package: "codeflash",
          repository: "https://example.org/a b.git")), .occupancy,
      .ping(Ping(number: -7)), .jobs, .mayStop(MayStopRequest(run: "20260131T123456Z-1")),
      .attach(
        AttachRequest(
          job: try id(), after: 7, hash: String(repeating: "0f", count: 16), secrets: ["CODEFLASH_API_KEY": "cf-x"])),
      .receive(ReceiveRequest(file: try upload(), bytes: 12, kind: .agent)),
      .receive(ReceiveRequest(file: try upload(), bytes: 12, kind: .uv)),
      .piece(Piece(data: Data([0, 1, 2, 255]))), .upgrade(UpgradeRequest(agent: try upload())),
    ] + (try manifests()).map { .submit(SubmitRequest(manifest: $0)) }
      + [.submit(SubmitRequest(manifest: try manifests()[0], secrets: ["CODEFLASH_API_KEY": "cf-x"], supersede: true))]
  }

  static func messages() throws -> [AgentMessage] {
    let problem = Problem(what: "no space", why: "the disk is full", fix: "free some", exitStatus: .infrastructure)
    return [
      .hello(
        HelloReply(
          sha256: SHA256.hex([]), home: "/home/ada/.cache/cf-bench", user: "ada", host: "vm", system: "Linux",
          architecture: "x86_64")),
      .hello(HelloReply(sha256: nil, home: "/h", user: "", host: "", system: "Linux", architecture: "aarch64")),
      .hello(
        HelloReply(
          sha256: nil, home: "/h", user: "", host: "", system: "Linux", architecture: "x86_64", libc: "glibc 2.36",
          features: AgentFeature.allCases.map(\.rawValue), tools: HostTool.allCases.map(\.rawValue))),
      .accepted(Accepted(job: try id(), alreadyKnown: false, superseded: [try id()])),
      .jobs(
        JobsReply(jobs: [
          JobSummary(
            job: try id(), owner: "ada@laptop", createdAt: Timestamp.rfc3339(), state: .finished, outcome: .partial,
            labels: ["main", "x"], branch: "codeflash x", ahead: 2, expectedStart: Timestamp.rfc3339(), events: 9,
            bytes: 999, stopping: StoppingPlan(alpha: 0.01, delta: 0.02, budgetSeconds: 600)),
          JobSummary(
            job: try id(), owner: "", createdAt: Timestamp.rfc3339(), state: .lost, labels: ["x"], events: 0, bytes: 0),
        ])),
      .mayStop(
        MayStopReply(
          allowed: false, holders: [Occupancy.Entry(job: try id(), owner: "ada@laptop", state: .waiting)])),
      .received(Received(file: try upload())), .upgrading(Upgrading(agent: try upload())),
      .accepted(Accepted(job: try id(), alreadyKnown: true)), .attached(Attached(job: try id(), after: 3)),
      .ended(Ended(job: try id(), reason: .finished, last: 9)),
      .ended(Ended(job: try id(), reason: .runnerLost, last: 9, log: "killed\n\u{1B}[31mred \"quoted\"")),
      .cancelled(Cancelled(job: try id(), wasRunning: false)),
      .uploads(UploadsReply(missing: [try upload()], folder: "/h/uploads")),
      .doctor(
        DoctorReply(checks: [
          DoctorCheck(id: "far.uv", status: .ok, detail: "0.9"),
          DoctorCheck(id: "far.watchdog", status: .skipped, detail: "not looked at"),
          DoctorCheck(id: "far.disk", status: .failed, detail: "1 MB", fix: "free some"),
        ])),
      .occupancy(
        Occupancy(jobs: [
          Occupancy.Entry(job: try id(), owner: "ada@laptop", state: .measuring),
          Occupancy.Entry(job: try id(), owner: "", state: .waiting),
        ])), .occupancy(Occupancy(jobs: [])),
      .pong(Ping(number: 7)), .refused(Refused(request: "submit", problem: problem)),
      .refused(Refused(request: "", problem: Problem(what: "a", fix: "b", exitStatus: .usage))),
    ]
  }

  static func events() throws -> [JobEvent] {
    let host = HostInfo(
      hostname: "vm", kernel: "Linux 6.8 x86_64", cpuModel: "EPYC", cpuCount: 4, memoryBytes: 1 << 34,
      availableMemoryBytes: 1 << 33, load: 0.25, bootID: "b", operatingSystem: "Debian", hyperfineVersion: "1.19.0",
      uvVersion: nil)
    var talkative = host
    talkative.hypervisor = "QEMU Standard PC"
    talkative.governor = "performance, powersave"
    talkative.frequencyMHz = 2596.1
    talkative.turbo = false
    talkative.addressRandomisation = 2
    talkative.threadsPerCore = 2
    talkative.swapUsedBytes = 4096
    talkative.memoryPressure = 0
    talkative.cpuPressure = 82.51
    talkative.busyProcesses = [BusyProcess(name: "apt (x) get", pid: 7, share: 0.98)]
    let problem = Problem(what: "ended with 1", why: "line one\nline two", fix: "run it", exitStatus: .partial)
    return [
      .started(Started(job: try id(), agentVersion: "0.1.0", agentSHA256: SHA256.hex([]), pid: 17)),
      .started(Started(job: try id(), agentVersion: "0.1.0", agentSHA256: SHA256.hex([]), pid: 17, bootID: "b")),
      .resumed(Resumed(reason: .runnerKilled, attempt: 2, bootID: "b", agentSHA256: SHA256.hex([]))),
      .resumed(Resumed(reason: .rebooted, attempt: 3, bootID: nil, agentSHA256: SHA256.hex([]))),
      .continued(Continued(python: "3.12", keepsBlocks: true)),
      .continued(Continued(python: "3.12", keepsBlocks: false, why: "the machine was booted since")),
      .queued(Queued(holder: "job of grace@desk", ahead: 2, expectedStart: Timestamp.rfc3339())),
      .queued(Queued(holder: "job of grace@desk")), .phase(Phase(text: "installing")),
      .phase(Phase(text: "installing", side: .head)), .host(host), .host(talkative),
      .tuned(TuningReport(knob: .turbo, before: "on", wanted: "off", after: "off", outcome: .changed)),
      .tuned(
        TuningReport(
          knob: .governor, before: nil, wanted: "performance", after: nil, outcome: .notVisible, detail: "no cpufreq")),
      .sideReady(
        SideReady(
          side: .base, label: "main", python: "3.12", interpreterVersion: "3.12.3", interpreterNote: "stands in",
          commit: "abc", identity: "git:abc", distributions: ["a==1"], reused: true, seconds: 0)),
      .sideReady(
        SideReady(
          side: .head, label: "x", python: "3.12", interpreterVersion: "3.12.3", interpreterNote: nil, commit: nil,
          identity: "tree:1", distributions: [], reused: false, seconds: 12.5)),
      .layerStarted(LayerStarted(layer: .startup, python: "3.12", plannedSamples: 96)),
      .sample(
        Sample(
          layer: .startup, metric: "codeflash --version", python: "3.12", arm: .base, block: 0, position: 3,
          value: 0.0123456789, userSeconds: 0.01, systemSeconds: 0.002, exitCode: 0)),
      .sample(
        Sample(
          layer: .micro, metric: "micro: “parse” | \u{1F600}", python: "3.12", arm: .head, block: 1, position: 0,
          value: 1.25e-7, loops: 2_000_000, isControl: true)),
      .sample(
        Sample(
          layer: .startup, metric: "x", python: "3.12", arm: .copy, block: 1, position: 5, value: 0.5,
          usage: ProcessUsage(
            peakBytes: 1 << 24, minorFaults: 900, majorFaults: 0, voluntarySwitches: 3, involuntarySwitches: 1))),
      .blockFinished(
        BlockFinished(
          layer: .startup, python: "3.12", block: 1, order: [.head, .copy, .base, .base, .copy, .head], metrics: ["x"],
          seconds: 2.5, probeSeconds: [0.005, 0.006],
          machine: MachineUse(
            stealShare: 0, foreignShare: 0.6, memoryPressureShare: 0.001, cpuPressureShare: nil),
          disturbance: "another process used 0.6 of a core", open: 3, of: 7,
          spentSeconds: 20, leftSeconds: 580)),
      .blockFinished(
        BlockFinished(layer: .micro, python: "3.12", block: 0, order: [.head, .head], metrics: [], seconds: 1)),
      .importTree(
        ImportTree(
          side: .base, python: "3.12", run: 2,
          modules: [
            ImportedModule(name: "a.b", depth: 1, selfMicroseconds: 10, cumulativeMicroseconds: 10),
            ImportedModule(name: "a", depth: 0, selfMicroseconds: 5, cumulativeMicroseconds: 15),
          ])),
      .skipped(Skipped(layer: .micro, metric: "micro: x", python: "3.12", side: nil, reason: "not there")),
      .skipped(Skipped(layer: .micro, metric: "micro: x", python: "3.12", side: .base, reason: "not there")),
      .profile(
        FunctionProfile(
          metric: "micro: x", python: "3.12", side: .base, calls: 10, seconds: 0.5,
          functions: [ProfiledFunction(name: "f (a.py)", line: 3, calls: 10, selfSeconds: 0.1, cumulativeSeconds: 0.2)])
      ),
      .stacks(
        StackProfile(
          layer: .memory, metric: "Peak memory", python: "3.12", side: .head, unit: .bytes, tool: "memray 1.20.0",
          frames: [.init(name: "f", file: "codeflash/a.py", line: 3), .init(name: "g", file: "", line: 0)],
          stacks: [.init(frames: [0, 1], value: 12), .init(frames: [], value: 1)], leftOut: 0.5)),
      .optimizeRun(
        OptimizeRun(
          purpose: .measured, python: "3.12", side: .base, block: 0, position: 3, form: .full, seconds: 12.5,
          cpuSeconds: 14,
          memory: TreeMemory(peakPSSBytes: 5, peakRSSBytes: 9, processes: 3, looks: 7, costSeconds: 0.1),
          network: "network namespace",
          functions: [
            FunctionRun(
              function: "depot.stock:Stock.shortages", kind: .opportunity, finding: .found, seconds: 8,
              claimedSpeedup: 14.5, measuredSpeedup: 13, leastSpeedup: 3, candidate: "c",
              phases: [RunPhase(name: "generation", seconds: 0)]),
            FunctionRun(function: "depot.a:b", kind: .trap, finding: .broken, reason: "why", seconds: 8),
          ])),
      .profiledPhases(
        ProfiledPhases(
          python: "3.12", side: .head, tool: "py-spy", phases: [RunPhase(name: "discovery", seconds: 1.5)])),
      .memoryTimeline(
        MemoryTimeline(
          python: "3.12", side: .head, block: 2, points: [.init(seconds: 0.05, pssBytes: 1, rssBytes: 2, processes: 1)])
      ),
      .memoryProfile(
        MemoryProfile(
          tool: .tracemalloc, version: "3.12.3", python: "3.12", side: .base, function: "depot.a:b", peakBytes: 3,
          totalBytes: 2, lines: [.init(file: "a.py", line: 1, text: "x = 1", bytes: 2, allocations: 1)],
          modules: [.init(name: "a", bytes: 2)], seconds: 20, plainSeconds: nil, peakRSSBytes: 9)),
      .recording(Recording(function: "depot.a:b", content: "{}")),
      .layerFinished(LayerFinished(layer: .micro, python: "3.12", seconds: 9)),
      .layerFinished(LayerFinished(layer: .startup, python: "3.12", seconds: 9, metrics: ["codeflash --version"])),
      .effectiveSettings(
        EffectiveSettings(
          side: .base, python: "3.12",
          settings: EffectiveSettings.Name.allCases.map {
            .init(
              name: $0, value: $0 == .home ? nil : "0.5 s", evidence: "seen",
              remark: $0 == .loopingTime ? "not taken" : nil)
          })),
      .trouble(Trouble(problem: problem)),
      .trouble(Trouble(layer: .startup, metric: "m", python: "3.12", side: .head, problem: problem)),
      .finished(Finished(outcome: .done, seconds: 100.25)),
      .finished(Finished(outcome: .failed, problem: problem, seconds: 1)),
    ]
  }

  /// The events as a journal has them.
  static func numbered() throws -> [NumberedEvent] {
    try events().enumerated().map {
      NumberedEvent(number: $0 + 1, time: "2026-01-31T12:34:56.789Z", event: $1)
    }
  }
}
