import ControllerCore
import Foundation
import LocalSSHD
import Shared
import Statistics
import Subprocess
import SystemPackage

/// Measures cf-bench against `ssh` on loopback: both sides against the same private sshd, in turns.
struct OverheadBench {
  var environment: [String: String]
  var note: (String) -> Void

  func run() async throws -> OverheadReport {
    try await withTemporaryFolder { folder in
      let home = folder + "/home"
      var passed = LoopbackBench.passedOn(environment)
      passed["CF_BENCH_HOME"] = home
      passed["CF_BENCH_LOCK"] = folder + "/lock"
      return try await withPrivateSSHD(PrivateSSHDOptions(environment: passed)) { server in
        let bench = try LoopbackBench(server, environment: environment)
        var report = OverheadReport()
        report.lines.append(try await connecting(bench, server))
        report.lines += try await streaming(bench, server, folder: folder, home: home)
        report.lines.append(try await reconnecting(bench, server, folder: folder, home: home))
        report.lines += try await measuring(bench, home: home)
        report.lines.append(analysing())
        report.lines.append(
          .init(
            name: "agent on disk", figure: String(format: "%.1f MB", Double(bench.agentBytes) / 1e6), beside: "",
            aim: "<= 16 MB"))
        return report
      }
    }
  }

  /// Connect, authenticate, start the agent, hear its hello, close; beside a whole `ssh host true`.
  private func connecting(_ bench: LoopbackBench, _ server: PrivateSSHD) async throws -> OverheadReport.Line {
    note("connecting, 21 times each")
    var ratios: [Double] = []
    var ours: [Double] = []
    var theirs: [Double] = []
    for round in -2..<21 {
      let mine = try await seconds { try await bench.connect() }
      let other = try await seconds { try await ssh(server, "true", to: "/dev/null") }
      guard round >= 0 else { continue }  // the first two bring the agent and warm the caches
      ours.append(mine)
      theirs.append(other)
      ratios.append(mine / other)
    }
    return .init(
      name: "connect to first answer",
      figure: String(format: "%.3f x (%.1f ms)", middle(ratios), middle(ours) * 1000),
      beside: String(format: "ssh host true, %.1f ms", middle(theirs) * 1000), aim: "<= 0.35 x")
  }

  /// The agent's own CPU and memory while a real job measures commands that only sleep.
  private func measuring(_ bench: LoopbackBench, home: String) async throws -> [OverheadReport.Line] {
    note("a job of half a minute whose commands sleep")
    let executable = bench.agentPath(home: home)
    var costs: [(cost: ProcessCost, at: ContinuousClock.Instant)] = []
    let manifest = try sleepingJob()
    _ = try await bench.follow(manifest.id, submitting: manifest, into: home + "/events.ndjson") { event in
      guard case .sample = event.event else { return }
      costs.append((ProcessCost.of(executable: executable), .now))
    }
    guard let first = costs.first, let last = costs.last, last.at > first.at else {
      throw Problem(what: "the sleeping job gave no samples", fix: "run 'cf-bench doctor'", exitStatus: .infrastructure)
    }
    let share = (last.cost.cpuSeconds - first.cost.cpuSeconds) / (last.at - first.at).inSeconds
    let peak = costs.map(\.cost.memoryBytes).max() ?? 0
    return [
      .init(
        name: "agent's CPU while measuring", figure: String(format: "%.2f %% of a core", share * 100),
        beside: String(format: "over %.0f s", (last.at - first.at).inSeconds), aim: "<= 0.5 %"),
      .init(
        name: "agent's memory while measuring", figure: String(format: "%.1f MB", Double(peak) / 1e6),
        beside: "serve, supervisor and worker together, shared pages once", aim: "<= 24 MB"),
    ]
  }

  /// The analysis of one large comparison.
  private func analysing() -> OverheadReport.Line {
    note("deciding \(AnalysisCost.metrics) metrics of \(AnalysisCost.blocks) blocks and more, 5 times each")
    let cost = AnalysisCost()
    let growth = cost.growthFactors.map { String(format: "%.2f x", $0) }.joined(separator: ", ")
    return .init(
      name: "deciding \(AnalysisCost.metrics) metrics of \(AnalysisCost.blocks) blocks",
      figure: String(format: "%.1f ms", (cost.seconds.first ?? .nan) * 1000),
      beside: "growth to 400 and to 800 blocks, time over samples: \(growth)", aim: "<= 100 ms")
  }

  private func sleepingJob() throws -> JobManifest {
    guard let id = JobID("sleep-\(UInt32.random(in: .min ... .max))") else {
      preconditionFailure("a word and a number make a job id")
    }
    let commands = [
      StartupCommand(name: "sleep", arguments: ["python", "-c", "import time; time.sleep(0.5)"], isControl: false)
    ]
    return JobManifest(
      id: id, createdAt: Timestamp.rfc3339(), owner: "overhead", target: TargetPlan(package: "six", importName: "six"),
      sides: [
        SidePlan(side: .base, label: "six==1.16.0", source: .release(requirement: "six==1.16.0")),
        SidePlan(side: .head, label: "six==1.17.0", source: .release(requirement: "six==1.17.0")),
      ],
      python: PythonPlan(versions: ["3.12"], fallbackToSystem: true), requirements: [],
      layers: LayerPlans(
        startup: StartupPlan(commands: commands, blocks: 15, warmupRuns: 1, importRuns: 1, timeoutSeconds: 30)),
      seed: 1, limits: JobLimits())
  }

  /// - Parameter cipher: the only one to use; ssh's own choice if nil.
  func ssh(_ server: PrivateSSHD, _ command: String, to file: String, cipher: String? = nil) async throws {
    let descriptor = try FileDescriptor.open(
      FilePath(file), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    let result = try await Subprocess.run(
      .name("ssh"),
      arguments: Arguments(
        (cipher.map { ["-c", $0] } ?? []) + [
          "-F", "none", "-i", server.clientKey, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o",
          "UserKnownHostsFile=\(server.knownHosts)", "-o", "GlobalKnownHostsFile=/dev/null", "-p", "\(server.port)",
          "\(server.user)@127.0.0.1", command,
        ]), output: .fileDescriptor(descriptor, closeAfterSpawningProcess: true), error: .string(limit: 1 << 16))
    guard result.terminationStatus.isSuccess else {
      throw Problem(
        what: "'ssh HOST \(command)' failed", why: result.standardError, fix: "see what ssh says above",
        exitStatus: .infrastructure)
    }
  }

  func middle(_ values: [Double]) -> Double { Quantile.median(values) ?? .nan }

  func seconds(_ body: () async throws -> some Any) async throws -> Double {
    let start = ContinuousClock.now
    _ = try await body()
    return (ContinuousClock.now - start).inSeconds
  }
}
