import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("Layer 1 times whole commands, and each run is told when it is made", .programs)
struct StartupLayerTests {
  private static let control = StartupCommand(
    name: "python -c pass", arguments: ["python", "-c", "pass"], isControl: true)
  private static let tidbit = StartupCommand(name: "tidbit", arguments: ["tidbit"], isControl: false)

  private func layer(
    _ commands: StartupCommand..., blocks: Int = 2, importRuns: Int = 0, timeoutSeconds: Double = 300,
    engine: TimingEngine = .hyperfine, measuresCold: Bool = false
  ) -> StartupLayer {
    StartupLayer(
      plan: StartupPlan(
        commands: commands, blocks: blocks, warmupRuns: 1, importRuns: importRuns, timeoutSeconds: timeoutSeconds,
        engine: engine, measuresCold: measuresCold))
  }

  @Test("every position of every block has its sample, of the right side, and the slow side shows")
  func blocks() throws {
    let testbed = try SideTestbed()
    let sides = try testbed.sides(
      SmallPackage(version: "1.0", module: "import time\ndef main():\n    time.sleep(0.5)\n"), SmallPackage())
    let layer = layer(Self.tidbit, Self.control)
    try testbed.run(layer, on: sides)
    let samples = testbed.events.samples
    #expect(samples.count == layer.plannedSamples(sides: 2) && samples.count == 16)
    let tidbits = samples.filter { $0.metric == "tidbit" }
    #expect(tidbits.map(\.side) == [.base, .head, .head, .base, .base, .head, .head, .base])
    #expect(tidbits.map(\.position) == [0, 1, 2, 3, 0, 1, 2, 3] && tidbits.map(\.block) == [0, 0, 0, 0, 1, 1, 1, 1])
    let (base, head) = (tidbits.filter { $0.side == .base }, tidbits.filter { $0.side == .head })
    #expect(base.allSatisfy { $0.value > 0.5 } && (head.map(\.value).min() ?? 1) < 0.5)
    #expect(tidbits.allSatisfy { $0.exitCode == 0 })
    #expect(samples.allSatisfy { $0.isControl == ($0.metric == "python -c pass") })
    #expect(testbed.events.troubles.isEmpty && testbed.events.skipped.isEmpty)
  }

  @Test("hyperfine and the agent's own clock agree, and the own one says what the kernel counted")
  func engines() throws {
    let testbed = try SideTestbed()
    // Mostly sleep: what else runs on this machine hardly moves it.
    let sides = try testbed.sides(SmallPackage(module: "import time\ndef main():\n    time.sleep(0.3)\n"))
    var fastest: [TimingEngine: Double] = [:]
    for engine in TimingEngine.allCases {
      let before = testbed.events.samples.count
      try testbed.run(layer(Self.tidbit, blocks: 4, engine: engine), on: sides)
      let samples = Array(testbed.events.samples.dropFirst(before))
      #expect(samples.count == 8 && samples.allSatisfy { $0.exitCode == 0 && ($0.userSeconds ?? -1) >= 0 })
      #expect(samples.allSatisfy { ($0.usage == nil) == (engine == .hyperfine) })
      if let usage = samples.last?.usage {
        #expect(usage.peakBytes > 4 << 20 && usage.minorFaults > 100 && usage.voluntarySwitches >= 1)
      }
      fastest[engine] = samples.map(\.value).min()
    }
    let (one, other) = (try #require(fastest[.hyperfine]), try #require(fastest[.spawn]))
    #expect(one > 0.3 && other > 0.3 && abs(one / other - 1) < 0.25, "\(one) s and \(other) s")
  }

  @Test(
    "the agent's own clock: a command that fails is told with its last words, one that hangs is ended")
  func spawningFails() throws {
    let testbed = try SideTestbed()
    let module = """
      import os, sys
      def main():
          runs = os.environ["HOME"] + "/runs"
          seen = os.path.getsize(runs) if os.path.exists(runs) else 0
          open(runs, "a").write("x")
          sys.exit("worn out" if seen >= 4 else 0)
      """
    try testbed.run(layer(Self.tidbit, blocks: 3, engine: .spawn), on: try testbed.sides(SmallPackage(module: module)))
    #expect(testbed.events.samples.map(\.block) == [0, 0, 1])
    #expect(testbed.events.troubles.map(\.problem.why) == ["worn out"])
    let hanging = TimedProcess(words: ["/bin/sleep", "60"], environment: [:], directory: "/", limitSeconds: 0.3)
    let run = try hanging.run()
    #expect(run.end == .timedOut && run.seconds < 50)
    #expect(throws: ChildProcess.SpawnFailure.self) {
      try TimedProcess(words: ["/nowhere/x"], environment: [:], directory: "/", limitSeconds: 1).run()
    }
  }

  @Test("cold figures are metrics of their own, of runs without bytecode")
  func cold() throws {
    let testbed = try SideTestbed()
    let module = """
      import os
      def main():
          kind = "warm" if os.path.exists(__spec__.cached) else "cold"
          with open(os.environ["HOME"] + "/seen", "a") as file:
              file.write(kind + "\\n")
      """
    let layer = layer(Self.tidbit, Self.control, blocks: 2, measuresCold: true)
    let context = try testbed.context(try testbed.sides(SmallPackage(module: module)))
    try testbed.run(layer, in: context)
    #expect(testbed.events.samples.map(\.metric).uniqued() == ["tidbit", "tidbit, cold", "python -c pass"])
    #expect(testbed.events.samples.count == layer.plannedSamples(sides: 1))
    let seen = try String(contentsOfFile: context.scratch + "/startup-home/seen", encoding: .utf8)
    let block = "warm\nwarm\ncold\ncold\n"
    #expect(seen == "warm\n" + block + block)
  }

  @Test("a sample is told before the next run of its block ends")
  func streaming() throws {
    let testbed = try SideTestbed()
    let sides = try testbed.sides(SmallPackage(module: "import time\ndef main():\n    time.sleep(0.5)\n"))
    try testbed.run(layer(Self.tidbit, blocks: 1), on: sides)
    let times = testbed.events.sampleTimes
    try #require(times.count == 2)
    // Told together at hyperfine's end they would be some microseconds apart.
    #expect(times[1] - times[0] > 0.4)
  }

  @Test("a target that exits with 1 is named with its last words, and the rest is measured")
  func exitsWithOne() throws {
    let testbed = try SideTestbed()
    let sides = try testbed.sides(
      SmallPackage(),
      SmallPackage(module: "import sys\ndef main():\n    sys.exit('the larder is empty')\n"))
    try testbed.run(layer(Self.tidbit, Self.control), on: sides)
    let trouble = try #require(testbed.events.troubles.first)
    #expect(testbed.events.troubles.count == 1 && trouble.side == .head && trouble.metric == "tidbit")
    #expect(trouble.problem.what == "tidbit exited with 1 on the head")
    #expect(trouble.problem.why == "the larder is empty" && trouble.problem.exitStatus == .partial)
    #expect(Set(testbed.events.samples.map(\.metric)) == ["python -c pass"] && testbed.events.samples.count == 8)
  }

  @Test("a target that fails only later is left out from then on, and what it gave before stands")
  func failsLater() throws {
    let testbed = try SideTestbed()
    let module = """
      import os, sys
      def main():
          home = os.environ["HOME"]
          seen = len([name for name in os.listdir(home) if name.startswith("run-")])
          open("%s/run-%d" % (home, seen), "w").close()
          sys.exit("worn out" if seen >= 4 else 0)
      """
    let sides = try testbed.sides(SmallPackage(module: module))
    try testbed.run(layer(Self.tidbit, Self.control, blocks: 3), on: sides)
    #expect(testbed.events.samples.filter { $0.metric == "tidbit" }.map(\.block) == [0, 0, 1])
    #expect(testbed.events.samples.filter { $0.metric == "python -c pass" }.count == 6)
    #expect(testbed.events.troubles.map(\.problem.why) == ["worn out"])
  }

  @Test("a target that hangs is ended at its limit")
  func hangs() throws {
    let testbed = try SideTestbed()
    let sides = try testbed.sides(SmallPackage(module: "import time\ndef main():\n    time.sleep(600)\n"))
    try testbed.run(layer(Self.tidbit, Self.control, blocks: 1, timeoutSeconds: 1), on: sides)
    #expect(testbed.events.troubles.first?.problem.what.contains("passed its time limit") == true)
    #expect(testbed.events.samples.map(\.metric) == ["python -c pass", "python -c pass"])
  }

  @Test("a command that one side does not have is skipped on both, with the reason, once")
  func oneSided() throws {
    let testbed = try SideTestbed()
    let sides = try testbed.sides(SmallPackage(), SmallPackage(version: "2.0"))
    try FileManager.default.removeItem(atPath: sides[0].bin + "/tidbit")
    try testbed.run(layer(Self.tidbit, Self.control), on: sides)
    let skipped = try #require(testbed.events.skipped.first)
    #expect(testbed.events.skipped.count == 1 && skipped.side == .base && skipped.metric == "tidbit")
    #expect(skipped.reason.hasPrefix("the base has no program 'tidbit'; not measured on the other side"))
    #expect(Set(testbed.events.samples.map(\.metric)) == ["python -c pass"])
  }

  @Test("arguments arrive as they are, and a program from outside finds the side's own programs")
  func arguments() throws {
    let testbed = try SideTestbed()
    let sides = try testbed.sides(SmallPackage())
    let odd = ["a b", "it's", "", "$HOME", "\\", "*", "é"]
    let check = "import sys; sys.exit(sys.argv[1:] != \(odd))"
    try testbed.run(
      layer(
        StartupCommand(name: "odd", arguments: ["python", "-c", check] + odd, isControl: false),
        StartupCommand(name: "shell", arguments: ["sh", "-c", "tidbit | grep -q tidbit"], isControl: false), blocks: 1),
      on: sides)
    #expect(testbed.events.troubles.map(\.problem) == [])
    #expect(testbed.events.samples.map(\.metric) == ["odd", "odd", "shell", "shell"])
  }

  @Test("a command that nobody named is passed over where it fails, without trouble")
  func guesses() throws {
    let testbed = try SideTestbed()
    let sides = try testbed.sides(SmallPackage())
    let guess = StartupCommand(name: "sh --no", arguments: ["sh", "-c", "exit 2"], isControl: false, isGuess: true)
    try testbed.run(layer(guess, Self.control, blocks: 1), on: sides)
    #expect(testbed.events.troubles.map(\.problem) == [])
    #expect(testbed.events.skipped.map(\.metric) == ["sh --no"])
    #expect(testbed.events.skipped.first?.reason.contains("exited with 2") == true)
    #expect(testbed.events.samples.count == 2)
    // Layer 4 says so too: it may be measured alone.
    try testbed.run(
      MemoryLayer(plan: MemoryPlan(run: nil, commands: [guess], blocks: 1, measuresRun: false, top: 50)), on: sides)
    #expect(testbed.events.troubles.map(\.problem) == [])
    #expect(testbed.events.skipped.map(\.metric) == ["sh --no", "Peak memory: sh --no"])
  }

  @Test("where hyperfine is missing or too old the agent times the commands itself, and says so")
  func hyperfineMissing() throws {
    let testbed = try SideTestbed()
    let sides = try testbed.sides(SmallPackage())
    testbed.environment["PATH"] = try testbed.pathWithout("hyperfine")
    try testbed.run(layer(Self.control, blocks: 1), on: sides)
    #expect(
      testbed.events.phases.contains("hyperfine is not there or does not run: the agent times the commands itself"))

    // Written by a child: a program that this process has open for writing while another test forks can't be started.
    try testbed.run(
      "sh", "-c", "mkdir old; printf '#!/bin/sh\necho hyperfine 1.12.0\n' > old/hyperfine; chmod +x old/hyperfine")
    testbed.environment["PATH"] = testbed.folder + "/old:/usr/bin:/bin"
    try testbed.run(layer(Self.control, blocks: 1), on: sides)
    #expect(testbed.events.phases.contains("hyperfine 1.12.0 is too old: the agent times the commands itself"))
    // Only the own engine tells what the kernel counted.
    #expect(testbed.events.samples.count == 4 && testbed.events.samples.allSatisfy { $0.usage != nil })
  }

  @Test("import trees come from fresh runs, sides taking turns, children before their parents")
  func importTree() throws {
    let testbed = try SideTestbed()
    let chatter = "import sys, this_is_mine\nsys.stderr.write('chatter\\n')\ndef main(): pass\n"
    let package = SmallPackage(module: chatter)
    let other = SmallPackage(version: "2.0", module: chatter)
    let sides = try testbed.sides(package, other)
    for index in 0...1 {
      let checkout = try #require(
        try FileManager.default.contentsOfDirectory(atPath: testbed.home.checkouts).filter { $0.count == 40 }.sorted()
          .dropFirst(index).first)
      try Data().write(to: URL(filePath: "\(testbed.home.checkouts)/\(checkout)/src/this_is_mine.py"))
    }
    try testbed.run(layer(blocks: 0, importRuns: 2), on: sides)
    let trees = testbed.events.trees
    #expect(trees.map(\.side) == [.base, .head, .head, .base] && trees.map(\.run) == [0, 0, 1, 1])
    for tree in trees {
      let child = try #require(tree.modules.firstIndex { $0.name == "this_is_mine" })
      let parent = try #require(tree.modules.firstIndex { $0.name == "tidbit" })
      #expect(child < parent && tree.modules[child].depth == 1 && tree.modules[parent].depth == 0)
      #expect(tree.modules[parent].cumulativeMicroseconds >= tree.modules[child].cumulativeMicroseconds)
    }
  }

  @Test("a target that does not import has no tree, and that is said once a side")
  func noImport() throws {
    let testbed = try SideTestbed()
    let sides = try testbed.sides(SmallPackage(module: "raise RuntimeError('not today')\n"))
    try testbed.run(layer(blocks: 0, importRuns: 3), on: sides)
    #expect(testbed.events.trees.isEmpty && testbed.events.troubles.count == 1)
    #expect(testbed.events.troubles.first?.problem.why?.contains("not today") == true)
  }
}

extension Array where Element: Hashable {
  fileprivate func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
