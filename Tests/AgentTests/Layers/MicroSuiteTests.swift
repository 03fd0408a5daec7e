import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("Layer 2 measures the project's own benchmarks as the head has them, on both sides", .programs)
struct MicroSuiteTests {
  private static let tests = """
    import time

    import pytest

    import tidbit

    def test_spin(benchmark):
        assert benchmark(tidbit.spin, 500) == 124750

    @pytest.mark.parametrize("count", [100, 200])
    @pytest.mark.benchmark(group="sizes")
    def test_sizes(benchmark, count):
        benchmark.extra_info["count"] = count
        assert benchmark(tidbit.spin, count=count) > 0

    def test_used_up(benchmark):
        def fresh():
            return ([3, 1, 2],), {}

        def consume(rows):
            assert len(rows) == 3, "called again with what it had used up"
            while rows:
                rows.pop()

        benchmark.pedantic(consume, setup=fresh, rounds=10)

    def test_new(benchmark):
        from tidbit import added

        benchmark(added)

    def test_wrong(benchmark):
        assert benchmark(tidbit.spin, 10) == "another"

    def test_forgets(benchmark):
        pass

    def test_slow(benchmark):
        benchmark(time.sleep, 60)

    def test_leaves(benchmark):
        import os

        benchmark(os._exit, 5)

    def test_plain():
        raise AssertionError("no benchmark, must not run")
    """

  private static let module = "def spin(count):\n    return sum(range(count))\n\ndef main():\n    pass\n"

  private func layer(_ suite: BenchmarkSuite, targets: [MicroTarget] = []) -> MicroLayer {
    MicroLayer(
      plan: MicroPlan(
        targets: targets, blocks: 1, repeats: 2, repeatSeconds: 0.002, timeoutSeconds: 300, profileTop: 5,
        longestCallSeconds: 1, suite: suite))
  }

  /// Base and head from folders that have benchmarks of their own; the module stands at the project's root too.
  private func pair(_ testbed: SideTestbed, tests: String = tests) throws -> [SideEnvironment] {
    func package(_ version: String, _ module: String, tests: String) -> SmallPackage {
      SmallPackage(
        version: version, module: module,
        files: [
          "tests/benchmarks/test_speed.py": tests, "tests/test_other.py": Self.tests,
          "tidbit.py": "raise SystemExit('not the one that is installed')\n",
          "pytest.ini": "[pytest]\naddopts = --no-such-option\npythonpath = .\n",
        ])
    }
    let base = package("1.0", Self.module, tests: "raise SystemExit('the base has its own')\n")
    let head = package("2.0", Self.module + "\ndef added():\n    pass\n", tests: tests)
    return try testbed.sides(base, head, requirements: ["pytest"])
  }

  @Test("each benchmark is a metric, or has a reason of its own; what only the head can do is said so")
  func measured() throws {
    let testbed = try SideTestbed()
    let target = MicroTarget(
      name: "spin", group: "own", candidates: ["tidbit:spin"], setup: "def call():\n    return target(500)\n")
    try testbed.run(
      layer(BenchmarkSuite(path: "tests/benchmarks"), targets: [target]), on: try pair(testbed))
    let samples = testbed.events.samples
    let names = ["spin", "test_spin", "test_sizes[100]", "test_sizes[200]", "test_used_up"].map { "micro: \($0)" }
    #expect(Set(samples.map(\.metric)) == Set(names))
    for name in names {
      let own = samples.filter { $0.metric == name }
      #expect(own.map(\.side) == [.base, .head, .head, .base], "\(name)")
      #expect(Set(own.map(\.loops)).count == 1 && own.allSatisfy { $0.value > 1e-8 && $0.value < 0.1 }, "\(name)")
    }
    // The same work, written in two ways, is timed in the same unit: whatever else the machine does, one call is no loop of many.
    let (plain, tested) = (samples.filter { $0.metric == names[0] }, samples.filter { $0.metric == names[1] })
    let ratio = tested.map(\.value).min()! / plain.map(\.value).min()!
    #expect(0.1 < ratio && ratio < 10, "\(ratio)")
    #expect(samples.filter { $0.metric == "micro: test_used_up" }.allSatisfy { $0.loops == 1 })

    let skipped = Dictionary(uniqueKeysWithValues: testbed.events.skipped.map { ($0.metric, $0) })
    #expect(skipped.keys.sorted() == ["micro: test_new", "micro: test_slow"])
    #expect(skipped["micro: test_new"]?.side == .base)
    #expect(skipped["micro: test_new"]?.reason.contains("ImportError") == true)
    #expect(skipped["micro: test_slow"]?.reason.contains("ended after 1.0 s") == true)
    let troubles = Dictionary(uniqueKeysWithValues: testbed.events.troubles.map { ($0.metric ?? "", $0.problem) })
    #expect(troubles.keys.sorted() == ["micro: test_forgets", "micro: test_leaves", "micro: test_wrong"])
    #expect(troubles["micro: test_forgets"]?.why?.contains("never calls benchmark") == true)
    #expect(troubles["micro: test_wrong"]?.why?.hasPrefix("AssertionError") == true)
    #expect(troubles["micro: test_leaves"]?.what.contains("exited with 5") == true)

    let profiles = testbed.events.profiles.filter { $0.metric == "micro: test_spin" }
    #expect(profiles.map(\.side) == [.base, .head])
    #expect(profiles.allSatisfy { $0.functions.contains { $0.name == "spin (tidbit.py)" } })
  }

  @Test("only the named ones are measured, and a name that is not there is told with those that are")
  func named() throws {
    let testbed = try SideTestbed()
    try testbed.run(
      layer(BenchmarkSuite(path: "tests/benchmarks/test_speed.py", only: ["test_spin", "test_gone"])),
      on: try pair(testbed))
    #expect(Set(testbed.events.samples.map(\.metric)) == ["micro: test_spin"])
    let told = try #require(testbed.events.troubles.first?.problem)
    #expect(told.what.contains("'test_gone'") && told.why?.contains("test_used_up") == true)
  }

  @Test(
    "a suite that can't be had is said, with what to do",
    arguments: [
      ("tests/gone", tests, "has no such folder"), ("tests/benchmarks", "import nothing_like_it\n", "nothing_like_it"),
      ("tests/benchmarks", "def test_other():\n    pass\n", "uses the fixture"),
    ])
  func lacking(path: String, tests: String, words: String) throws {
    let testbed = try SideTestbed()
    try testbed.run(layer(BenchmarkSuite(path: path)), on: try pair(testbed, tests: tests))
    #expect(testbed.events.samples.isEmpty)
    let told = try #require(testbed.events.troubles.first?.problem)
    #expect(told.why?.contains(words) == true, "\(told)")
    #expect(!told.fix.isEmpty && testbed.events.troubles.count == 1)
  }
}
