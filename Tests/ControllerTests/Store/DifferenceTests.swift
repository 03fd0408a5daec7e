import Shared
import Testing

@testable import ControllerCore

@Suite("What changed inside: imports and profiles")
struct DifferenceTests {
  private func costs(_ side: Side, _ runs: [[(String, Int)]]) throws -> ImportCosts {
    var record = JobRecord(events: [])
    record.importTrees = runs.enumerated().map { run, modules in
      ImportTree(
        side: side, python: "3.12", run: run,
        modules: modules.map {
          ImportedModule(name: $0.0, depth: 0, selfMicroseconds: $0.1, cumulativeMicroseconds: $0.1)
        })
    }
    record.sides = [ready(side)]
    let key = try #require(record.importKeys.first)
    return try #require(ImportCosts(side, key, record: record))
  }

  @Test("modules gone, new, grown and shrunk are told apart, the dearest first")
  func imports() throws {
    func five(_ run: [(String, Int)]) -> [[(String, Int)]] { Array(repeating: run, count: 5) }
    let base = try costs(.base, five([("a", 10), ("b", 500), ("c", 100), ("d", 100), ("e", 30)]))
    let head = try costs(.head, five([("c", 150), ("d", 40), ("e", 30), ("f", 5), ("g", 7)]))
    let difference = ImportDifference(base: base, head: head)
    #expect(difference.gone.map(\.name) == ["b", "a"])
    #expect(difference.new.map(\.name) == ["g", "f"])
    #expect(difference.grew.map(\.name) == ["c"] && difference.grew.first?.difference == 50)
    #expect(difference.shrank.map(\.name) == ["d"])
    #expect(difference.baseMicroseconds == 740 && difference.headMicroseconds == 232)
    #expect(difference.baseModules == 5 && difference.headModules == 5)
  }

  @Test("a module whose runs on both sides overlap has neither grown nor shrunk")
  func noise() throws {
    func runs(_ times: Int...) -> [[(String, Int)]] { times.map { [("a", $0)] } }
    let base = try costs(.base, runs(100, 140, 120, 119, 121))
    #expect(ImportDifference(base: base, head: try costs(.head, runs(139, 200, 220, 201, 199))).isEmpty)
    let apart = try costs(.head, runs(141, 200, 220, 201, 199))
    #expect(ImportDifference(base: base, head: apart).grew == [.init(name: "a", base: 120, head: 200)])
    #expect(!ImportDifference(base: base, head: apart).hasLargeChange, "80 µs are no reason to look")
    let slow = try costs(.head, runs(50_000, 50_100, 50_200, 50_300, 50_400))
    #expect(ImportDifference(base: base, head: slow).hasLargeChange)
    // Three runs a side lie apart in one module of ten that is the same.
    let few = try costs(.base, runs(100, 110, 120))
    #expect(ImportDifference(base: few, head: try costs(.head, runs(130, 140, 150))).isEmpty)
  }

  @Test("what is gone is told by the import that brought it, a package by whoever imported its first submodule")
  func branches() throws {
    func costs(_ side: Side, _ modules: [(String, Int, Int)]) throws -> ImportCosts {
      var record = JobRecord(events: [])
      record.importTrees = [
        ImportTree(
          side: side, python: "3.12", metric: "tool --version", run: 0,
          modules: modules.map {
            ImportedModule(name: $0.0, depth: $0.1, selfMicroseconds: $0.2, cumulativeMicroseconds: $0.2)
          })
      ]
      record.sides = [ready(side)]
      let key = try #require(record.importKeys.first)
      return try #require(ImportCosts(side, key, record: record))
    }
    // `tool.main` imports `lib.core`; Python shows the package `lib` below its own submodule, and that one once more.
    let base = try costs(
      .base,
      [
        ("lib.types", 4, 5), ("lib.core", 3, 40), ("lib", 2, 10), ("lib.core", 1, 1), ("tool.main", 0, 7),
        ("late", 0, 3),
      ])
    let head = try costs(.head, [("tool.main", 0, 7), ("small", 0, 2)])
    let difference = ImportDifference(base: base, head: head)
    #expect(
      difference.dropped == [
        .init(importer: "tool.main", module: "lib", modules: 3, microseconds: 55),
        .init(importer: nil, module: "late", modules: 1, microseconds: 3),
      ])
    #expect(difference.added == [.init(importer: nil, module: "small", modules: 1, microseconds: 2)])
  }

  private func ready(_ side: Side) -> SideReady {
    SideReady(
      side: side, label: "x", python: "3.12", interpreterVersion: "3.12.1", interpreterNote: nil, commit: nil,
      identity: "x", distributions: [], reused: false, seconds: 1)
  }

  @Test("the median counts over the runs that saw a module; a name said twice is two modules")
  func medians() throws {
    let costs = try costs(
      .base, [[("a", 1), ("x", 7), ("a", 50)], [("a", 3), ("a", 70)], [("a", 2), ("late", 4), ("a", 60)]])
    #expect(costs.modules.map(\.name) == ["a", "x", "a", "late"])
    #expect(costs.modules.map(\.selfMicroseconds) == [2, 7, 60, 4])
    #expect(costs.modules.first?.selfRange == 1...3)
  }

  @Test("a line of which one tool says more and the other less is told by neither")
  func opposite() {
    func profile(_ tool: MemoryProfile.Tool, _ side: Side, _ megabytes: [Int]) -> MemoryProfile {
      let lines = zip(["agreed()", "disputed()"], megabytes).enumerated().map { index, line in
        MemoryProfile.Line(file: "a.py", line: index, text: line.0, bytes: line.1 << 20, allocations: 1)
      }
      return MemoryProfile(
        tool: tool, version: "1", python: "3.12", side: side, function: "a:b", peakBytes: 0,
        totalBytes: lines.reduce(0) { $0 + $1.bytes }, lines: lines, modules: [], seconds: 1, plainSeconds: nil,
        peakRSSBytes: 0)
    }
    var record = JobRecord(events: [])
    record.memoryProfiles = [
      profile(.memray, .base, [1, 4]), profile(.memray, .head, [3, 8]), profile(.tracemalloc, .base, [1, 8]),
      profile(.tracemalloc, .head, [4, 5]),
    ]
    let changes = MemoryLineChange.all(from: record)
    #expect(changes.map(\.text) == ["agreed()", "agreed()"] && changes.map { $0.differenceBytes >> 20 } == [2, 3])
  }

  @Test("a line that a cut list may have left out has not grown by more than the list tells")
  func cutLists() throws {
    func profile(_ side: Side, _ lines: [(String, Int)], leftOut: Int) -> MemoryProfile {
      MemoryProfile(
        tool: .memray, version: "1", python: "3.12", side: side, function: "a:b", peakBytes: 0,
        totalBytes: lines.reduce(leftOut) { $0 + $1.1 },
        lines: lines.enumerated().map {
          .init(file: "a.py", line: $0.offset, text: $0.element.0, bytes: $0.element.1, allocations: 1)
        }, modules: [], seconds: 1, plainSeconds: nil, peakRSSBytes: 0)
    }
    func changes(leftOut: Int) -> [String: Int] {
      var record = JobRecord(events: [])
      record.memoryProfiles = [
        profile(.base, [("large", 9 << 20), ("twice", 4 << 20), ("smallest", 2 << 20)], leftOut: leftOut),
        profile(
          .head, [("large", 9 << 20), ("new", 5 << 20), ("twice", 4 << 20), ("twice", 2 << 20), ("small", 2 << 20)],
          leftOut: leftOut),
      ]
      return Dictionary(
        MemoryLineChange.all(from: record).map { ($0.text, $0.differenceBytes) }, uniquingKeysWith: +)
    }
    #expect(changes(leftOut: 0) == ["new": 5 << 20, "twice": 2 << 20, "small": 2 << 20, "smallest": -2 << 20])
    #expect(changes(leftOut: 1 << 20) == ["new": 3 << 20])
  }

  @Test("the memory of several runs is that of the highest, not the largest numbers of different runs")
  func highestRun() throws {
    let memories = [
      TreeMemory(peakPSSBytes: 5, peakRSSBytes: 9, largestProcessBytes: 4, processes: 3, looks: 7),
      TreeMemory(peakPSSBytes: 6, peakRSSBytes: 8, largestProcessBytes: 3, processes: 2, looks: 5),
    ]
    var record = JobRecord(events: [])
    record.optimizeRuns = memories.enumerated().map { position, memory in
      OptimizeRun(
        purpose: .measured, python: "3.12", side: .base, block: 0, position: position, form: .quick, seconds: 1,
        cpuSeconds: 1, memory: memory, network: "open", functions: [])
    }
    record.samples = [
      Sample(
        layer: .optimize, metric: "Full optimize run", python: "3.12", arm: .base, block: 0, position: 0, value: 1)
    ]
    let document = try #require(OptimizeDocument.make(.base, from: record))
    #expect(document.results.first?.memory == memories[1])
  }

  @Test("functions are held against each other by self time per call of the target")
  func profiles() {
    func profile(_ side: Side, calls: Int, _ functions: [(String, Double)]) -> FunctionProfile {
      FunctionProfile(
        metric: "micro: x", python: "3.12", side: side, calls: calls, seconds: 1,
        functions: functions.map {
          ProfiledFunction(name: $0.0, line: 1, calls: 1, selfSeconds: $0.1, cumulativeSeconds: $0.1)
        })
    }
    let difference = ProfileDifference(
      base: profile(.base, calls: 10, [("same", 1), ("slower", 1), ("gone", 5), ("twins", 1), ("twins", 2)]),
      head: profile(.head, calls: 20, [("same", 2), ("slower", 6), ("new", 2), ("twins", 6)]))
    #expect(
      difference.changes.map(\.name) == ["gone", "slower", "new"]
        && difference.changes.map { $0.base == nil } == [false, false, true])
    #expect(difference.changes.first?.base == 0.5 && difference.changes.first?.head == nil)
  }
}
