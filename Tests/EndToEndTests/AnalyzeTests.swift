import Foundation
import Shared
import SystemPackage
import TestSupport
import Testing

@testable import ControllerCore

@Suite("cf-bench analyze, through its door", .programs)
struct AnalyzeTests {
  private static let header = "metric,block,position,side,value\n"
  private var fixtures: String { Testbed.packageRoot + "/fixtures/analyze/" }

  private func analyze(_ testbed: Testbed, _ arguments: [String]) async throws -> ComparisonDocument {
    let result = try await testbed.bench(["analyze", "--json"] + arguments)
    #expect(result.status == 0, "\(result.error)")
    return try JSONDecoder().decode(ComparisonDocument.self, from: Data(result.output.utf8))
  }

  /// Blocks of base, head, head, base and the other way round.
  private func rows(_ metric: String, ratio: Double, blocks: Int = 30) -> String {
    (0..<blocks).map { block in
      (0..<4).map { position in
        let isHead = (block % 2 == 0) == (position == 1 || position == 2)
        let value = 0.02 * (isHead ? ratio : 1) * (1 + 0.003 * Double((block * 5 + position * 7) % 13) / 13)
        return "\(metric),\(block),\(position),\(isHead ? "head" : "base"),\(value)\n"
      }.joined()
    }.joined()
  }

  /// A job's folder with two sides of four samples a block, or one side.
  private func folder(
    _ testbed: Testbed, job: String, sides: [Side] = [.base, .head], ratio: Double = 1.1, boot: String = "b"
  ) throws -> String {
    let run = try RunFolder.create(
      in: FilePath(testbed.folder + "/results"), base: sides.count == 2 ? "main" : nil, head: "perf", alpha: 0.01,
      delta: 0.02)
    let store = try EventStore(path: run.events)
    let id = try #require(JobID(job))
    var events: [JobEvent] = [
      .started(Started(job: id, agentVersion: "0.1.0", agentSHA256: SHA256.hex([1]), pid: 1)),
      .host(
        HostInfo(
          hostname: "h", kernel: "k", cpuModel: "c", cpuCount: 2, memoryBytes: 1, availableMemoryBytes: 1, load: 0,
          bootID: boot, operatingSystem: "o", hyperfineVersion: nil, uvVersion: nil)),
    ]
    events += sides.map {
      .sideReady(
        SideReady(
          side: $0, label: "x", python: "3.12", interpreterVersion: "3.12.3", interpreterNote: nil, commit: nil,
          identity: "\($0)", distributions: [], reused: false, seconds: 1))
    }
    for block in 0..<16 {
      for (position, side) in [Side.base, .head, .head, .base].enumerated() where sides.contains(side) {
        let value = (side == .head ? ratio : 1) * (1 + 0.001 * Double((block * 7 + position * 3) % 11))
        events.append(
          .sample(
            Sample(
              layer: .startup, metric: "tool --version", python: "3.12", arm: Arm(side), block: block,
              position: position, value: value)))
      }
    }
    events.append(.finished(Finished(outcome: .done, seconds: 5)))
    for (index, event) in events.enumerated() {
      let numbered = NumberedEvent(number: index + 1, time: "2026-01-31T12:34:56.789Z", event: event)
      try store.append(line: Array(try numbered.line().dropLast()))
    }
    try store.close()
    return "results/" + (run.path.lastComponent?.string ?? "")
  }

  @Test("a CSV file: table, caveats and replay for a person, a document for a program")
  func table() async throws {
    try await Testbed.with { testbed in
      try testbed.write("s.csv", Self.header + rows("sort", ratio: 1.05) + "free,,,base,1\nfree,,,head,1\n")
      let document = try await analyze(testbed, ["s.csv", "--replay", "--alpha", "0.05", "--correction", "none"])
      #expect(document.metrics.map(\.verdict) == [.regressed, .undecided] && document.verdict == .regressed)
      #expect(document.method.alpha == 0.05 && document.method.delta == 0.02 && document.method.correction == "none")
      #expect(document.replay?.map(\.name) == ["sort"])
      let words = try await testbed.bench(["analyze", "s.csv", "--replay"])
      #expect(words.status == 0 && words.error.isEmpty && words.output.hasPrefix("Slower: 1 worse"))
      #expect(words.output.contains("No block pairs the samples of free") && words.output.contains("Stops after"))
      #expect(words.output.contains("The replay leaves out what has no blocks: free."))
      #expect(words.output.contains("open (too few samples)"))
    }
  }

  @Test("files of hyperfine, a second head with its name")
  func hyperfine() async throws {
    try await Testbed.with { testbed in
      let (base, head) = (fixtures + "hyperfine-base.json", fixtures + "hyperfine-head.json")
      let document = try await analyze(testbed, [base, head])
      #expect(document.metrics.map(\.name) == ["nap", "blink"] && document.metrics.first?.verdict == .regressed)
      #expect(document.base.label == "hyperfine-base.json" && document.method.caveats.count == 1)
      try testbed.write("copy.json", try String(contentsOfFile: base, encoding: .utf8))
      let three = try await analyze(testbed, [base, head, "copy.json"])
      #expect(three.metrics.map(\.name).contains("nap [copy.json]") && three.metrics.count == 4)
    }
  }

  @Test("files of pyperf")
  func pyperf() async throws {
    try await Testbed.with { testbed in
      let document = try await analyze(testbed, [fixtures + "pyperf-base.json", fixtures + "pyperf-head.json"])
      #expect(document.metrics.map(\.name) == ["sorted"] && document.metrics.first?.verdict == .regressed)
      #expect(document.metrics.first?.layer == .micro && document.metrics.first?.python == "3.11.7")
    }
  }

  @Test("folders of comparisons and of runs; of two boots they are refused")
  func folders() async throws {
    try await Testbed.with { testbed in
      let one = try folder(testbed, job: "20260131T123456Z-0001")
      let two = try folder(testbed, job: "20260131T123457Z-0002")
      let report = try await testbed.bench(["report", one, "--json"])
      let document = try JSONDecoder().decode(ComparisonDocument.self, from: Data(report.output.utf8))
      #expect(try await analyze(testbed, [one]) == document)
      #expect(try await analyze(testbed, [one, two]).metrics.map(\.blocks) == [32])
      let other = try folder(testbed, job: "20260131T123458Z-0003", boot: "c")
      try await refuses(testbed, [one, other], "was started anew between them")
      let runs = try [
        folder(testbed, job: "20260131T123459Z-0004", sides: [.head], ratio: 1),
        folder(testbed, job: "20260131T123460Z-0005", sides: [.head], ratio: 1.1),
      ]
      let unpaired = try await analyze(testbed, runs)
      #expect(unpaired.metrics.first?.verdict == .regressed && unpaired.metrics.first?.unpaired == true)
      try await refuses(testbed, [runs[0]], "alone can't be compared")
    }
  }

  private func refuses(_ testbed: Testbed, _ arguments: [String], _ words: String) async throws {
    let result = try await testbed.bench(["analyze"] + arguments)
    #expect(result.status == 2 && result.output.isEmpty, "\(arguments): \(result.output)")
    #expect(result.error.contains(words), "\(arguments): \(result.error)")
    #expect(result.error.contains("fix: ") || result.error.contains("Usage: "), "\(result.error)")
  }

  @Test("input that can't be analysed says what, why and what to do")
  func refused() async throws {
    try await Testbed.with { testbed in
      try testbed.write("empty", "")
      try testbed.write("torn.json", #"{"results": [{"comm"#)
      try testbed.write("other.json", #"{"metrics": [], "verdict": "improved"}"#)
      try testbed.write("list.json", "[1, 2]")
      try testbed.write("zero", "a\u{0}b")
      try testbed.write("wrong.csv", "a,b\n1,2\n")
      try testbed.write("text.csv", Self.header + "a,0,0,base,1\na,0,1,head,quick\n")
      try testbed.write("s.csv", Self.header + "a,0,0,base,1\na,0,1,head,1\n")
      let hyperfine = fixtures + "hyperfine-base.json"
      for (paths, words) in [
        (["nowhere"], "there is no such file or folder"), (["/proc/self/mem"], "/proc/self/mem can't be read"),
        (["empty"], "empty is empty"), (["zero"], "zero is no text"),
        (["torn.json"], "starts like JSON but is not valid JSON"),
        (["other.json"], "name the folder that it stands in"),
        (["list.json"], "no object with fields"), (["wrong.csv"], "it does not have metric, block"),
        (["text.csv"], "line 3 of text.csv"), (["tmp"], "it has no sides.json"),
        ([hyperfine], "alone can't be compared"), ([hyperfine, hyperfine], "hold the same samples"),
        ([hyperfine, "s.csv"], "is a hyperfine file, and s.csv is a CSV file"),
        (["s.csv", "wrong.csv"], "2 CSV files"), ([], "Missing expected argument"),
        (["s.csv", "--alpha", "2"], "--alpha must be"), (["s.csv", "--delta", "nan"], "--delta must be"),
        (["s.csv", "--correction", "sidak"], "holm"),
      ] {
        try await refuses(testbed, paths, words)
      }
    }
  }

  @Test("a metric without a result ends in 4, the others have theirs")
  func partial() async throws {
    try await Testbed.with { testbed in
      try testbed.write("s.csv", Self.header + rows("sort", ratio: 1) + "bad,0,0,base,1\nbad,0,1,head,-1\n")
      let result = try await testbed.bench(["analyze", "s.csv"])
      #expect(result.status == 4 && result.output.contains("no difference"))
      #expect(result.output.contains("line 123 of s.csv holds -1.0") && result.output.contains("fix: "))
    }
  }
}
