import Shared

@testable import ControllerCore

/// The events of a job as an agent writes them, with numbers that look like codeflash's: the same in every run.
struct EventFixture {
  var pythons = ["3.12"]
  var labels: [Side: String] = [.base: "codeflash==0.20.5", .head: "codeflash==0.20.6"]
  var identities: [Side: String] = [.base: "codeflash==0.20.5", .head: "codeflash==0.20.6"]
  var commits: [Side: String] = [:]
  var sides: [Side] = [.base, .head]
  var blocks = 14
  /// Metric, layer, seconds on the base, head over base.
  var metrics: [(String, LayerName, Double, Double)] = [
    ("codeflash --version", .startup, 1.2312, 0.0161),
    ("codeflash --help", .startup, 1.2544, 0.1402),
    ("import codeflash", .startup, 0.04521, 1.0),
    ("micro: parse markdown code", .micro, 0.0002853, 1.0),
    ("micro: discover functions", .micro, 0.0041, 1.183),
    ("micro: compare results", .micro, 0.0000196, 1.004),
  ]
  var control = 1.0
  /// The base's second installation over the base; `nil` for no control arm.
  var copy: Double?
  /// Blocks that were discarded, in all layers: their values are wild.
  var disturbed: Set<Int> = []
  var budgetSeconds: Double?
  var noise = 0.004
  var troubles: [Trouble] = []
  var outcome: Finished.Outcome? = .done
  /// Whether layers 3 and 4 ran; `lost` is a function that the head then misses.
  var runsCodeflash = false
  var lost: String?
  var importNames: [Side: [(String, Int, Int)]] = [
    .base: [
      ("codeflash.version", 1, 210), ("libcst._nodes", 2, 148_000), ("libcst", 1, 9_400),
      ("sentry_sdk.client", 2, 31_200),
      ("posthog", 1, 22_000), ("rich.console", 1, 18_500), ("codeflash.cli", 0, 1_900), ("codeflash", 0, 340),
    ],
    .head: [
      ("codeflash.version", 1, 208), ("rich.console", 1, 18_900), ("codeflash.lazy", 1, 620), ("codeflash.cli", 0, 820),
      ("codeflash", 0, 332),
    ],
  ]

  static let host = HostInfo(
    hostname: "cf-bench", kernel: "Linux 6.8.0-1021-azure x86_64",
    cpuModel: "Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz",
    cpuCount: 4, memoryBytes: 16_777_216_000, availableMemoryBytes: 15_200_000_000, load: 0.08,
    bootID: "5f0c3c1e-8a54-4a0e-9d51-0a6f3b7f5a10", operatingSystem: "Ubuntu 24.04.2 LTS", hyperfineVersion: "1.19.0",
    uvVersion: "0.9.13")

  var events: [NumberedEvent] {
    var events: [JobEvent] = []
    if let job = JobID("20260131T123456Z-0f3a") {
      events.append(
        .started(
          Started(
            job: job, agentVersion: "0.1.0", agentSHA256: SHA256.hex([1]), pid: 4242,
            budgetSeconds: budgetSeconds)))
    }
    events.append(.host(Self.host))
    for python in pythons {
      for side in sides { events += ready(side, python) }
      events += layer(.startup, python) + layer(.micro, python)
      if runsCodeflash { events += codeflash(python) }
    }
    events += troubles.map { .trouble($0) }
    if let outcome { events.append(.finished(Finished(outcome: outcome, seconds: 187.4))) }
    return events.enumerated().map { index, event in
      NumberedEvent(number: index + 1, time: "2026-01-31T12:34:56.789Z", event: event)
    }
  }

  var record: JobRecord { JobRecord(events: events, labels: labels) }

  /// The journal's bytes.
  func lines() throws -> [[UInt8]] { try events.map { try $0.line() } }

  private func ready(_ side: Side, _ python: String) -> [JobEvent] {
    [
      .phase(Phase(text: "installing \(labels[side] ?? "") for Python \(python)", side: side)),
      .sideReady(
        SideReady(
          side: side, label: labels[side] ?? "", python: python, interpreterVersion: "\(python).9",
          interpreterNote: nil,
          commit: commits[side], identity: identities[side] ?? "",
          distributions: ["codeflash==0.20.6", "libcst==1.8.2"],
          reused: false, seconds: 12.5)),
    ]
  }

  private func layer(_ layer: LayerName, _ python: String) -> [JobEvent] {
    var random = Noise(state: layer == .startup ? 7 : 11)
    let all = metrics + (layer == .startup ? [("python -c pass", .startup, 0.01183, control)] : [])
    let chosen = all.filter { $0.1 == layer }
    guard !chosen.isEmpty else { return [] }
    var events: [JobEvent] = [
      .layerStarted(LayerStarted(layer: layer, python: python, plannedSamples: chosen.count * blocks * 2 * sides.count))
    ]
    for block in 0..<blocks {
      var order: [Arm] = random.next() < 0.5 ? [.base, .head, .head, .base] : [.head, .base, .base, .head]
      if copy != nil, block % 5 == 1 { order = [.copy] + order + [.copy] }
      for (name, _, seconds, ratio) in chosen {
        for (position, arm) in order.enumerated() where sides.contains(arm.side) {
          let factor = arm == .head ? ratio : arm == .copy ? copy ?? 1 : 1
          let wild = disturbed.contains(block) && arm == .head ? 3.0 : 1
          let value = seconds * factor * wild * (1 + noise * (random.next() - 0.5))
          events.append(
            .sample(
              Sample(
                layer: layer, metric: name, python: python, arm: arm, block: block, position: position,
                value: (value * 1e9).rounded() / 1e9, userSeconds: layer == .startup ? 0.8 * value : nil,
                systemSeconds: layer == .startup ? 0.15 * value : nil, exitCode: layer == .startup ? 0 : nil,
                loops: layer == .micro ? 1000 : nil, isControl: name == "python -c pass")))
        }
      }
      guard budgetSeconds != nil || !disturbed.isEmpty else { continue }
      events.append(
        .blockFinished(
          BlockFinished(
            layer: layer, python: python, block: block, order: order, metrics: chosen.map(\.0), seconds: 4,
            disturbance: disturbed.contains(block) ? "other processes used 0.6 of a core" : nil)))
    }
    return events + (layer == .startup ? trees(python) : profiles(python))
      + [.layerFinished(LayerFinished(layer: layer, python: python, seconds: 80.25))]
  }

  private func trees(_ python: String) -> [JobEvent] {
    sides.flatMap { side in
      (0..<5).map { run in
        .importTree(
          ImportTree(
            side: side, python: python, metric: "codeflash --version", run: run,
            modules: (importNames[side] ?? []).map { name, depth, own in
              // Runs differ by a few percent, as real ones do.
              let micro = own + own * (run - 2) / 50
              return ImportedModule(
                name: name, depth: depth, selfMicroseconds: micro, cumulativeMicroseconds: micro + 100 * depth)
            }))
      }
    }
  }

  private func profiles(_ python: String) -> [JobEvent] {
    let skipped = JobEvent.skipped(
      Skipped(
        layer: .micro, metric: "micro: normalize code", python: python, side: .base,
        reason: "no module named 'codeflash.code_utils.normalizer'"))
    return [skipped]
      + sides.map { side in
        .profile(
          FunctionProfile(
            metric: "micro: discover functions", python: python, side: side, calls: 200, seconds: 0.9,
            functions: [
              ProfiledFunction(
                name: "visit_FunctionDef (codeflash/discovery/functions_to_optimize.py)", line: 120, calls: 4000,
                selfSeconds: side == .base ? 0.21 : 0.36, cumulativeSeconds: 0.5),
              ProfiledFunction(
                name: "<built-in method builtins.compile>", line: 0, calls: 200, selfSeconds: 0.3,
                cumulativeSeconds: 0.3),
            ] + (side == .head ? [extra] : [])))
      }
  }

  private var extra: ProfiledFunction {
    ProfiledFunction(
      name: "resolve_decorators (codeflash/discovery/functions_to_optimize.py)", line: 87, calls: 4000,
      selfSeconds: 0.05,
      cumulativeSeconds: 0.06)
  }
}

/// SplitMix64 as numbers from 0 to 1.
private struct Noise {
  var state: UInt64
  mutating func next() -> Double {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return Double((mixed ^ (mixed >> 31)) >> 11) / Double(1 << 53)
  }
}
