import Shared
import Statistics
import TestSupport
import Testing

@testable import ControllerCore

@Suite("CSV samples: what they say, and what is wrong with them")
struct TableTests {
  static let header = "metric,block,position,side,value\n"

  private func set(_ text: String) throws -> SampleSet {
    try TableSamples.sampleSet(SampleTable(.init(path: "s.csv", bytes: Array(text.utf8))), alpha: 0.01)
  }

  private func document(_ text: String) throws -> ComparisonDocument {
    try set(text).document(rule: DecisionRule(alpha: 0.01, delta: 0.02), replays: true)
  }

  private func fault(_ text: String) throws -> AnalysisError {
    try #require(throws: AnalysisError.self) { try set(text) }
  }

  /// Blocks of base, head, head, base, or in `order`; each value a little off.
  static func rows(
    _ blocks: Int, ratio: Double, metric: String = "sort", orders: [String] = ["bhhb", "hbbh"], noise: Double = 0.002
  ) -> String {
    (0..<blocks).map { block in
      orders[block % orders.count].enumerated().map { position, side in
        let value = 0.01 * (side == "h" ? ratio : 1) * (1 + noise * Double((block * 7 + position * 3) % 11) / 11)
        return "\(metric),\(block),\(position),\(side == "h" ? "head" : "base"),\(value)\n"
      }.joined()
    }.joined()
  }

  @Test("blocks are compared, and the replay stops before their end")
  func blocks() throws {
    let document = try document(Self.header + Self.rows(30, ratio: 1.05))
    let metric = try #require(document.metrics.first)
    #expect(metric.verdict == .regressed && metric.blocks == 30 && abs(metric.ratio - 1.05) < 0.002)
    #expect(metric.name == "sort" && metric.layer == .micro && metric.unit == "s" && metric.unpaired == nil)
    #expect(document.method.caveats.isEmpty && document.complete && document.verdict == .regressed)
    let stop = try #require(document.replay?.first)
    #expect(stop.verdict == .regressed && stop.blocks < 30 && stop.blocks >= DecisionRule.leastBlocks(alpha: 0.01))
  }

  @Test("columns in another order, quoted names, units and layers")
  func columns() throws {
    let rows = (0..<4).flatMap { block in
      [
        "head,2097152,\(block),\"peak, all\",1,B,memory", "base,1048576,\(block),\"peak, all\",0,B,memory",
      ]
    }
    let set = try set("side,value,block,metric,position,unit,layer\r\n" + rows.joined(separator: "\r\n") + "\r\n")
    let key = try #require(set.series.first?.key)
    #expect(key.metric == "peak, all" && key.unit == .bytes && key.layer == .memory)
    #expect(set.series.first?.observations.count == 8)
  }

  @Test("without blocks: unpaired, said aloud, and left out of the replay")
  func unpaired() throws {
    let rows = (0..<20).map { "sort,,,\($0 % 2 == 0 ? "base" : "head"),0.01\($0)\n" }.joined()
    let document = try document(Self.header + rows)
    #expect(document.metrics.first?.unpaired == true && document.metrics.first?.blocks == 10)
    #expect(document.method.caveats.first?.hasPrefix("No block pairs the samples:") == true)
    #expect(document.method.caveats.last == "The replay leaves out what has no blocks: sort.")
    #expect(document.replay == [] && document.method.name.contains("rank-sum"))
  }

  @Test("one side always first is a caveat only where no block balances it")
  func order() throws {
    func caveats(_ orders: [String]) throws -> [String] {
      try set(Self.header + Self.rows(12, ratio: 1, orders: orders)).caveats
    }
    #expect(try caveats(["bh"]).first?.hasPrefix("One side always stood first in the blocks of sort") == true)
    #expect(try caveats(["bbhh"]).count == 1 && caveats(["hbhb"]).count == 1)
    #expect(try caveats(["bh", "hb"]).isEmpty && caveats(["bhhb"]).isEmpty)
    let unknown = Self.rows(12, ratio: 1).replacing(/,[0-3],(base|head)/) { ",,\($0.1)" }
    #expect(try set(Self.header + unknown).caveats.first?.hasPrefix("Which side stood first is not said") == true)
  }

  @Test(
    "one metric with a bad value has no result, the others have theirs", arguments: ["-1", "0", "nan", "inf", "1e999"])
  func badValue(value: String) throws {
    let text = Self.header + Self.rows(12, ratio: 1) + "other,0,0,base,1\nother,0,1,head,\(value)\n"
    let document = try document(text)
    #expect(document.metrics.map(\.name) == ["sort"] && !document.complete)
    let trouble = try #require(document.troubles.first)
    #expect(trouble.metric == "other" && trouble.problem.why?.hasPrefix("line 51 of s.csv holds") == true)
    #expect(trouble.problem.exitStatus == .partial && document.troubles.count == 1)
  }

  @Test("one side only, no complete block, one block, ties everywhere")
  func poor() throws {
    let one = try document(Self.header + "a,0,0,base,1\na,1,0,base,1\n")
    #expect(one.metrics.isEmpty && one.troubles.first?.problem.why == "s.csv holds no samples of its head")
    let cut = try document(Self.header + "a,0,0,base,1\na,1,0,head,1\n")
    #expect(cut.metrics.isEmpty && cut.troubles.first?.problem.why?.hasPrefix("no block holds both sides") == true)
    let single = try document(Self.header + "a,0,0,base,1\na,0,1,head,2\n")
    #expect(single.metrics.first?.verdict == .undecided && single.metrics.first?.low == nil && single.complete)
    let ties = try document(Self.header + Self.rows(40, ratio: 1, noise: 0))
    #expect(ties.metrics.first?.verdict == .equivalent && ties.metrics.first?.ratio == 1)
    let loose = try document(Self.header + (0..<80).map { "a,,,\($0 % 2 == 0 ? "base" : "head"),1\n" }.joined())
    #expect(loose.metrics.first?.verdict == .equivalent)
  }

  @Test("a block that was cut short is counted out, and said")
  func incomplete() throws {
    let set = try set(Self.header + Self.rows(12, ratio: 1) + "sort,12,0,base,0.01\n")
    #expect(set.caveats == ["1 of 13 blocks of sort do not hold both sides in full, and do not count."])
  }

  @Test("wrong lines are named, and what is wrong with them")
  func wrongRows() throws {
    let good = Self.header + "a,0,0,base,1\n"
    for (row, words) in [
      ("a,0,1,left,1\n", "the side 'left' is neither base nor head"),
      ("a,0,1,head,fast\n", "the value 'fast' is no number"),
      ("a,0,1,head,\n", "the value '' is no number"), ("a,x,1,head,1\n", "the block 'x' is no whole number from 0 on"),
      ("a,0,-1,head,1\n", "the position '-1' is no whole number from 0 on"), (",0,1,head,1\n", "it names no metric"),
      ("a,0,1,head\n", "it has 4 fields, and the header has 5"),
      ("a,0,1,head,0,5\n", "it has 6 fields, and the header has 5"),
      ("a,0,1,head,\"1\n", "a quote in it is never closed"),
      ("a,0,0,head,1\n", "'a' has another sample in block 0, position 0: line 2"),
      ("a,,1,head,1\n", "'a' has a block in some lines and none in others, such as line 2"),
      ("a,0,,head,1\n", "'a' has a position in some lines and none in others, such as line 2"),
    ] {
      #expect(try fault(good + row) == .wrongRow(path: "s.csv", line: 3, fault: words), "\(row)")
    }
    let unit = "metric,block,position,side,value,unit,layer\na,0,0,base,1,s,micro\n"
    for (row, words) in [
      ("a,0,1,head,1,ms,micro\n", "the unit 'ms' is neither s nor B"),
      ("a,0,1,head,1,B,micro\n", "the unit of 'a' is 's' above"),
      ("a,0,1,head,1,s,net\n", "the layer 'net' is none of startup, micro, optimize and memory"),
      ("a,0,1,head,1,s,startup\n", "the layer of 'a' is 'micro' above"),
    ] {
      #expect(try fault(unit + row) == .wrongRow(path: "s.csv", line: 3, fault: words), "\(row)")
    }
  }

  @Test("wrong headers")
  func wrongHeaders() throws {
    for (header, words) in [
      ("time;side\n", "it does not have metric, block, position, side, value"),
      ("metric,block,side,value\n", "it does not have position"),
      ("metric,block,position,side,value,python\n", "nothing is known of a column 'python'"),
      ("metric,block,position,side,value,value\n", "it has 'value' twice"),
    ] {
      guard case .wrongHeader(_, _, words) = try fault(header) else {
        Issue.record("\(header): \(try fault(header))")
        continue
      }
    }
    #expect(try fault(Self.header) == .noRows(path: "s.csv"))
    #expect(try fault("") == .empty(path: "s.csv"))
  }

  @Test("a torn last line is left out and said; one without a line break counts")
  func torn() throws {
    let rows = Self.header + Self.rows(12, ratio: 1)
    let torn = try set(rows + "sort,12,0,ba")
    #expect(torn.caveats == ["Line 50, the last of s.csv, is torn and was left out."])
    #expect(torn.series.first?.observations.count == 48)
    let open = try set(String(rows.dropLast()))
    #expect(open.series.first?.observations.count == 48)
    #expect(open.caveats.first?.contains("has no line break") == true)
  }

  @Test("tens of thousands of metrics are told apart in time", .timeLimit(.minutes(5)))
  func manyMetrics() throws {
    let rows = (0..<20_000).map { "m\($0),0,0,base,1\nm\($0),0,1,head,1\n\"m\($0)\",1,0,head,1\nm\($0),1,1,base,1\n" }
    let set = try set(Self.header + rows.joined())
    #expect(set.series.count == 20_000 && set.series.allSatisfy { $0.observations.count == 4 })
  }

  @Test("a million rows are read and analysed: a fifth of them in an ordinary run", .timeLimit(.minutes(2)))
  func million() throws {
    let blocks = Thoroughness.isFull ? 250_000 : 50_000
    var text = Self.header
    for block in 0..<blocks {
      let odd = block % 2 == 1
      for (position, isHead) in [odd, !odd, !odd, odd].enumerated() {
        text += "m,\(block),\(position),\(isHead ? "head" : "base"),0.01\(block % 97)\n"
      }
    }
    let document = try document(text)
    #expect(document.metrics.first?.blocks == blocks && document.metrics.first?.verdict == .equivalent)
  }
}
