import Shared

extension EventFixture {
  /// Layers 3 and 4 of one Python: a rehearsal and two runs a side in a block, both memory tools.
  func codeflash(_ python: String) -> [JobEvent] {
    var events: [JobEvent] = [.layerStarted(LayerStarted(layer: .optimize, python: python, plannedSamples: 4))]
    for side in sides {
      events.append(
        .effectiveSettings(
          EffectiveSettings(
            side: side, python: python,
            settings: [.init(name: .loopingTime, value: "0.5 s", evidence: "--codeflash_seconds=0.5")])))
      events.append(.optimizeRun(run(side, python, position: nil)))
      events.append(
        .profiledPhases(
          ProfiledPhases(
            python: python, side: side, tool: "py-spy 0.4.3",
            phases: [
              RunPhase(name: "discovery", seconds: side == .base ? 2.4 : 2.7), RunPhase(name: "tests", seconds: 1.9),
            ])))
      events.append(.stacks(stacks(side, python)))
    }
    for (position, side) in [Side.head, .base, .base, .head].enumerated() where sides.contains(side) {
      let run = run(side, python, position: position)
      events.append(.optimizeRun(run))
      for (layer, metric, value, unit) in [
        (LayerName.optimize, "Full optimize run", run.seconds, MetricUnit.seconds),
        (.memory, "Peak memory", Double(run.memory.peakPSSBytes), .bytes),
      ] {
        events.append(
          .sample(
            Sample(
              layer: layer, metric: metric, python: python, arm: Arm(side), block: 0, position: position, value: value,
              unit: unit)))
      }
    }
    for side in sides {
      events.append(
        .memoryTimeline(
          MemoryTimeline(
            python: python, side: side,
            points: (0..<20).map {
              .init(seconds: Double($0) / 2, pssBytes: ($0 + 1) << 23, rssBytes: ($0 + 1) << 24, processes: 1 + $0 % 3)
            })))
      events += MemoryProfile.Tool.allCases.map { .memoryProfile(profile($0, side, python)) }
    }
    return events
  }

  private func run(_ side: Side, _ python: String, position: Int?) -> OptimizeRun {
    let names: [(String, FunctionRun.Kind)] = [
      ("depot.pricing:total_with_tax", .opportunity), ("depot.stock:pack", .opportunity),
      ("depot.pricing:discount_steps", .trap),
    ]
    let functions = names.map { name, kind in
      let isLost = side == .head && name == lost
      let found: FunctionRun.Finding = kind == .trap ? .rejectedRightly : isLost ? .missed : .found
      return FunctionRun(
        function: name, kind: kind, finding: found, reason: isLost ? "none was taken" : nil, seconds: 8.5,
        claimedSpeedup: found == .found ? 14.2 : nil, measuredSpeedup: found == .found ? 17.8 : nil,
        leastSpeedup: kind == .opportunity ? 2 : nil, candidate: found == .found ? "c-1" : nil,
        phases: [RunPhase(name: "discovery and context", seconds: 3.1), RunPhase(name: "generation", seconds: 0.1)])
    }
    return OptimizeRun(
      purpose: position == nil ? .rehearsal : .measured, python: python, side: side, block: 0, position: position ?? 0,
      form: .full, seconds: (side == .base ? 26.2 : 25.4) + Double(position ?? 0) / 10, cpuSeconds: 31,
      memory: TreeMemory(
        peakPSSBytes: (side == .base ? 203 : 195) << 20, peakRSSBytes: 232 << 20, largestProcessBytes: 137 << 20,
        processes: 14, looks: 160, costSeconds: 0.4),
      network: "network namespace", functions: functions)
  }

  private func stacks(_ side: Side, _ python: String) -> StackProfile {
    StackProfile(
      layer: .optimize, metric: "Full optimize run", python: python, side: side, unit: .seconds, tool: "py-spy 0.4.3",
      frames: [
        .init(name: "main", file: "codeflash/main.py", line: 51),
        .init(name: "parse", file: "parso/parser.py", line: 9),
      ],
      stacks: [.init(frames: [0, 1], value: side == .base ? 6 : 4), .init(frames: [0], value: 3)])
  }

  private func profile(_ tool: MemoryProfile.Tool, _ side: Side, _ python: String) -> MemoryProfile {
    let leak = MemoryProfile.Line(
      file: "codeflash/main.py", line: 17, text: "_KEPT.append(bytearray(30 << 20)) | x", bytes: 30 << 20,
      allocations: 1)
    // The same line, at another place on each side.
    let parser = MemoryProfile.Line(
      file: "parso/parser.py", line: side == .base ? 79 : 81, text: "self.nodes = []", bytes: 2 << 20,
      allocations: 37_328)
    let lines = (side == .head ? [leak] : []) + [parser]
    return MemoryProfile(
      tool: tool, version: tool == .memray ? "1.20.0" : "3.12.9", python: python, side: side,
      function: "depot.pricing:total_with_tax", peakBytes: 92 << 20, totalBytes: lines.reduce(0) { $0 + $1.bytes },
      lines: lines, modules: [.init(name: "parso", bytes: 2 << 20)], seconds: 13, plainSeconds: nil,
      peakRSSBytes: 157 << 20)
  }
}
