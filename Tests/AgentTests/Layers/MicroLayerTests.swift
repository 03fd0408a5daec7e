import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("Layer 2 times functions in fresh workers, and a bad target harms only itself", .programs)
struct MicroLayerTests {
  private static let module = """
    import os, subprocess, sys, time

    def spin(count):
        total = 0
        for number in range(count):
            total += number
        return total

    def chatty(count):
        print('{"index": 0, "seconds": 1}')
        os.write(1, b'{"index": 0, "seconds": 2}\\n')
        sys.stderr.write("noise")
        sys.__stdout__.write("more")
        subprocess.run(["echo", "garbage"])
        return spin(count)

    class Box:
        @staticmethod
        def outer(count):
            return spin(count)

    def main():
        pass
    """

  private func target(
    _ name: String, _ candidates: String..., setup: String = "def call():\n    return target(500)\n"
  ) -> MicroTarget {
    MicroTarget(name: name, group: "group", candidates: candidates, setup: setup)
  }

  private func layer(_ targets: MicroTarget..., blocks: Int = 2, timeoutSeconds: Double = 300) -> MicroLayer {
    MicroLayer(
      plan: MicroPlan(
        targets: targets, blocks: blocks, repeats: 2, repeatSeconds: 0.002, timeoutSeconds: timeoutSeconds,
        profileTop: 5))
  }

  private func pair(_ testbed: SideTestbed, head: String = module) throws -> [SideEnvironment] {
    try testbed.sides(SmallPackage(module: Self.module), SmallPackage(version: "2.0", module: head))
  }

  @Test("every position has its sample; loops are fixed; what a target prints is not taken for an answer")
  func samples() throws {
    let testbed = try SideTestbed()
    let sides = try pair(testbed)
    let layer = layer(
      target("spin", "tidbit:spin"), target("nested", "tidbit:gone", "tidbit:Box.outer"),
      target("chatty", "tidbit:chatty"))
    try testbed.run(layer, on: sides)
    let samples = testbed.events.samples
    #expect(testbed.events.troubles.map(\.problem) == [] && testbed.events.skipped == [])
    #expect(samples.count == layer.plannedSamples(sides: 2) && samples.count == 24)
    for metric in ["micro: spin", "micro: nested", "micro: chatty"] {
      let own = samples.filter { $0.metric == metric }
      #expect(own.map(\.side) == [.base, .head, .head, .base, .base, .head, .head, .base])
      for side in Side.allCases { #expect(Set(own.filter { $0.side == side }.map(\.loops)).count == 1) }
      #expect(own.allSatisfy { $0.value > 1e-6 && $0.value < 0.5 })
    }
    let orders = (0..<8).map { worker in samples[(worker * 3)..<(worker * 3 + 3)].map(\.metric) }
    #expect(Set(orders[0..<4]).count == 1 && Set(orders[4..<8]).count == 1)
  }

  @Test(
    "repeats of targets and of a block's workers take turns, each in its setup's folder; asserts are for calibrating")
  func turns() throws {
    let testbed = try SideTestbed()
    let log = testbed.folder + "/log"
    func setup(_ name: String) -> String {
      """
      import os
      os.chdir(os.environ['HOME'])
      os.makedirs('\(name)')
      os.chdir('\(name)')
      def call():
          assert os.path.basename(os.getcwd()) == '\(name)'
          with open('\(log)', 'a') as log:
              log.write(f'\(name):{os.getpid()} ')
      assert open('\(log)', 'a').write('asserted ')
      """
    }
    try testbed.run(
      layer(
        target("one", "tidbit:spin", setup: setup("one")), target("two", "tidbit:spin", setup: setup("two")), blocks: 1),
      on: try testbed.sides(SmallPackage(module: Self.module)))
    #expect(testbed.events.troubles.map(\.problem) == [] && testbed.events.samples.count == 4)
    let asserted = try String(contentsOfFile: log, encoding: .utf8).split(separator: " ").split(separator: "asserted")
    // Behind the last assert of the calibrations: two workers that call each once, and then both in turns. Before profiles of both.
    func turns(_ part: Int) -> [Substring] {
      let words = asserted[asserted.count - 3].map { $0.split(separator: ":")[part] }
      return words.indices.filter { $0 == 0 || words[$0] != words[$0 - 1] }.map { words[$0] }
    }
    #expect(turns(0).count >= 8, "\(turns(0))")
    // The worker that calibrated; then both set up, in either order, and a round of the one, of the other, and again.
    #expect(turns(1).count >= 6 && Set(turns(1)).count == 3, "\(turns(1))")
  }

  @Test("each worker that measures finds on disk what calibrating left there, and nothing of another worker")
  func caches() throws {
    let testbed = try SideTestbed()
    let log = testbed.folder + "/log"
    let setup = """
      import os
      cache = os.environ['XDG_CACHE_HOME']
      seen = len(os.listdir(cache))
      open(os.path.join(cache, str(os.getpid())), 'w').close()
      with open('\(log)', 'a') as log:
          log.write(f'{seen} ')
      def call():
          pass
      """
    try testbed.run(
      layer(target("one", "tidbit:spin", setup: setup), blocks: 3),
      on: try testbed.sides(SmallPackage(module: Self.module)))
    let seen = try String(contentsOfFile: log, encoding: .utf8).split(separator: " ").compactMap { Int($0) }
    // Two calibrations, three blocks of two workers, a profile.
    #expect(seen == [0, 1] + [Int](repeating: 2, count: 7))
  }

  @Test("a worker's samples are told when it has made them, not when the block is over")
  func streaming() throws {
    let testbed = try SideTestbed()
    let slow = "import time\ndef call():\n    time.sleep(0.2)\n"
    try testbed.run(
      layer(target("one", "tidbit:spin", setup: slow), target("two", "tidbit:spin", setup: slow), blocks: 1),
      on: try testbed.sides(SmallPackage(module: Self.module)))
    let times = testbed.events.sampleTimes
    try #require(times.count == 4)
    #expect(times[2] - times[1] > 0.4)
  }

  @Test("a target that only one side has is skipped on both, with the reason, once")
  func oneSided() throws {
    let testbed = try SideTestbed()
    let sides = try pair(testbed, head: "def main(): pass\n")
    try testbed.run(layer(target("spin", "tidbit:spin", "tidbit.old:spin")), on: sides)
    let skipped = try #require(testbed.events.skipped.first)
    #expect(testbed.events.skipped.count == 1 && skipped.side == .head && skipped.metric == "micro: spin")
    for words in ["AttributeError", "tidbit.old:spin", "the head does not have it", "not measured on the other side"] {
      #expect(skipped.reason.contains(words), "\(skipped.reason)")
    }
    #expect(testbed.events.samples.isEmpty && testbed.events.profiles.isEmpty)
  }

  @Test("a setup that raises on both sides is a skip of neither in particular")
  func setupRaises() throws {
    let testbed = try SideTestbed()
    try testbed.run(
      layer(
        target("wrong", "tidbit:spin", setup: "raise ValueError('no input')\n"),
        target("no call", "tidbit:spin", setup: "pass\n"), blocks: 1), on: try pair(testbed))
    #expect(testbed.events.skipped.map(\.side) == [nil, nil])
    #expect(testbed.events.skipped.map(\.reason).first?.contains("ValueError: no input") == true)
    #expect(testbed.events.skipped.map(\.reason).last?.contains("KeyError: 'call'") == true)
  }

  @Test("a target that hangs, crashes, exits or raises is dropped with its reason, and the others go on")
  func badTargets() throws {
    let testbed = try SideTestbed()
    try testbed.run(
      layer(
        target("hangs", "tidbit:spin", setup: "def call():\n    while True: pass\n"),
        target("exits", "tidbit:spin", setup: "import os\ndef call():\n    os._exit(3)\n"),
        target("crashes", "tidbit:spin", setup: "import ctypes\ndef call():\n    ctypes.string_at(0)\n"),
        target("leaves", "tidbit:spin", setup: "def call():\n    raise SystemExit(0)\n"),
        target("raises", "tidbit:spin", setup: "def call():\n    return target('many')\n"),
        target("spin", "tidbit:spin"), blocks: 1, timeoutSeconds: 2), on: try pair(testbed))
    let troubles = Dictionary(grouping: testbed.events.troubles) { $0.metric ?? "" }.mapValues { $0.map(\.problem) }
    #expect(troubles.values.allSatisfy { $0.count == 1 })
    #expect(troubles["micro: hangs"]?.first?.what.contains("passed its time limit") == true)
    #expect(troubles["micro: exits"]?.first?.what.contains("exited with 3") == true)
    #expect(troubles["micro: crashes"]?.first?.why?.contains("string_at") == true)
    #expect(troubles["micro: leaves"]?.first?.why == "SystemExit: 0")
    #expect(troubles["micro: raises"]?.first?.why?.hasPrefix("TypeError") == true)
    #expect(testbed.events.samples.map(\.metric) == Array(repeating: "micro: spin", count: 4))
  }

  @Test(
    "a target that fails only in a later block keeps the samples it gave, and the workers beside it go on",
    arguments: [
      ("raise RuntimeError('worn out')", "raised an error", "RuntimeError: worn out"),
      ("os._exit(3)", "exited with 3", nil), ("time.sleep(600)", "passed its time limit", nil),
    ])
  func failsLater(failure: String, what: String, why: String?) throws {
    let testbed = try SideTestbed()
    let count = testbed.folder + "/count"
    let setup = """
      import os, time
      with open("\(count)", "a") as file:
          file.write("x")
      starts = os.path.getsize("\(count)")
      calls = 0
      def call():
          global calls
          calls += 1
          if starts == 6 and calls > 1:
              \(failure)
      """
    try testbed.run(
      layer(
        target("tired", "tidbit:spin", setup: setup), target("spin", "tidbit:spin"), blocks: 3,
        timeoutSeconds: why == nil ? 10 : 300),
      on: try testbed.sides(SmallPackage(module: Self.module)))
    let tired = testbed.events.samples.filter { $0.metric == "micro: tired" }.map(\.block)
    // Killed with the late one, the worker beside it has no sample either.
    #expect(tired == [0, 0, 1] || (failure.contains("sleep") && tired == [0, 0]))
    #expect(testbed.events.samples.filter { $0.metric == "micro: spin" }.map(\.block) == [0, 0, 1, 1, 2, 2])
    #expect(testbed.events.troubles.map(\.problem.why) == [why])
    #expect(testbed.events.troubles.first?.problem.what.contains(what) == true, "\(testbed.events.troubles)")
  }

  @Test("loops are shared by the sides where a call costs about the same, and each side's own where it does not")
  func loops() throws {
    let testbed = try SideTestbed()
    let faster = Self.module.replacing("for number in range(count)", with: "for number in range(count // 50)")
    let setup = "def call():\n    return target(20000)\n"
    let steady = "import tidbit\ndef call():\n    return sum(range(20000))\n"
    try testbed.run(
      layer(target("spin", "tidbit:spin", setup: setup), target("steady", "tidbit:spin", setup: steady), blocks: 1),
      on: try pair(testbed, head: faster))
    func loops(_ metric: String, _ side: Side) -> Set<Int?> {
      Set(testbed.events.samples.filter { $0.metric == metric && $0.side == side }.map(\.loops))
    }
    #expect(loops("micro: steady", .base) == loops("micro: steady", .head))
    #expect(loops("micro: spin", .base) != loops("micro: spin", .head))
  }

  @Test("profiles name functions alike on both sides, whatever folder they lie in")
  func profiles() throws {
    let testbed = try SideTestbed()
    let setup = "import json\ndef call():\n    json.dumps({'a': [1, 2]}, indent=1)\n    return target(500)\n"
    try testbed.run(layer(target("outer", "tidbit:Box.outer", setup: setup), blocks: 0), on: try pair(testbed))
    let profiles = testbed.events.profiles
    try #require(profiles.map(\.side) == [.base, .head])
    for profile in profiles {
      #expect(profile.calls >= 1 && profile.seconds > 0)
      let spin = try #require(profile.functions.first { $0.name == "spin (tidbit.py)" })
      #expect(spin.calls == profile.calls && spin.line == 3 && spin.cumulativeSeconds >= spin.selfSeconds)
      #expect(profile.functions.contains { $0.name.hasSuffix("(json/encoder.py)") })
      #expect(!profile.functions.contains { $0.name.contains(testbed.folder) || $0.name.contains("0x") })
    }
    #expect(Set(profiles[0].functions.map(\.name)).contains("call (<setup>)"))
  }

  @Test("a worker that takes a job over measures with the loops of the blocks that are there")
  func restoredLoops() throws {
    let testbed = try SideTestbed()
    let context = try testbed.context(try pair(testbed))
    var layer = layer(target("spin", "tidbit:spin"), target("other", "tidbit:Box.outer"))
    try layer.prepare(in: context)
    let block = BlockFinished(
      layer: .micro, python: "3", block: 0, order: [.base, .head], metrics: ["micro: spin"], seconds: 1)
    let samples = [(Arm.base, 7), (.head, 9)].map { arm, loops in
      Sample(
        layer: .micro, metric: "micro: spin", python: "3", arm: arm, block: 0, position: 0, value: 1, loops: loops)
    }
    layer.restore([EarlierBlock(finished: block, content: .init(samples: samples))])
    let next = Block(number: 1, order: [.base, .head, .head, .base])
    try layer.measure(next, of: Set(layer.metrics.map(\.name)), in: context)
    let measured = testbed.events.samples
    #expect(measured.filter { $0.metric == "micro: spin" }.map(\.loops) == [7, 9, 9, 7], "\(testbed.events.troubles)")
    #expect(measured.filter { $0.metric == "micro: other" }.allSatisfy { ($0.loops ?? 0) > 9 })
  }
}
