import Foundation
import TestSupport
import Testing

/// The short form of `make fuzz`: what libFuzzer kept, and some thousand changes of it.
@Suite("The line codec and the journal keep their word on any bytes")
struct CorpusTests {
  private static let corpus = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "corpus")

  @Test("the fuzzer's corpus and changes of it", arguments: FuzzTarget.allCases)
  func corpus(_ target: FuzzTarget) throws {
    let text = try String(contentsOf: Self.corpus.appending(path: "\(target.rawValue).txt"), encoding: .utf8)
    let kept = text.split(separator: "\n").compactMap { Data(base64Encoded: String($0)).map { Array($0) } }
    #expect(!kept.isEmpty)
    var readable = 0
    for (number, input) in kept.enumerated() {
      do { readable += try target.check(input) ? 1 : 0 } catch {
        Issue.record("line \(number + 1) of \(target).txt: \(error)")
      }
    }
    #expect(readable * 10 >= kept.count, "of \(kept.count) inputs only \(readable) can be read")
    var random = TrialReport.random(for: "corpus of \(target)")
    let trials = TrialReport.count(usual: 2000)
    readable = 0
    for _ in 0..<trials {
      let input = Self.change(kept, &random)
      do { readable += try target.check(input) ? 1 : 0 } catch {
        Issue.record("\(target), seed \(TrialReport.seed), base64 \(Data(input).base64EncodedString()): \(error)")
        return
      }
    }
    #expect(readable * 20 >= trials, "of \(trials) changed inputs only \(readable) can be read")
    if target == .journal { try JournalProperties.clean() }
  }

  /// Another digit or letter in place of one, which leaves much of it readable; or one to four of: a flipped bit, another
  /// byte, a cut, a part of another input put in.
  private static func change(_ kept: [[UInt8]], _ random: inout SeededRandom) -> [UInt8] {
    var input = kept.randomElement(using: &random) ?? []
    if Bool.random(using: &random), let place = input.indices.randomElement(using: &random) {
      for kind in [UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z")]
      where kind.contains(input[place]) { input[place] = .random(in: kind, using: &random) }
      return input
    }
    for _ in 0..<Int.random(in: 1...4, using: &random) where !input.isEmpty {
      let place = Int.random(in: 0..<input.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: input[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: input[place] = UInt8.random(in: 0...255, using: &random)
      case 2: input.removeSubrange(place..<min(input.count, place + Int.random(in: 1...40, using: &random)))
      default:
        let other = kept.randomElement(using: &random) ?? []
        input.insert(contentsOf: other.suffix(Int.random(in: 0...max(0, other.count), using: &random)), at: place)
      }
    }
    return input
  }
}
