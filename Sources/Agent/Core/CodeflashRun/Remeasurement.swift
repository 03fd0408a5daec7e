import FoundationEssentials
import Shared

/// Times code that codeflash accepted against what stood there before, in fresh processes of the side's interpreter, on
/// the project's own work for the function.
final class Remeasurement {
  struct Result: Equatable {
    /// How many times as fast; `nil` when it can't be measured.
    var speedup: Double?
    var sameAnswer: Bool
    var reason: String?
  }

  private struct Order: Encodable {
    var root: String
    var module: String
    var setup: String
    var call: String
    var workdir: String
  }
  private struct Answer: Decodable {
    var seconds: Double?
    var outcome: String?
    var failure: String?
  }

  private let runner: CodeflashRunner
  private let script: String
  /// The same accepted text is measured once a side.
  private var known: [String: Result] = [:]

  init(_ runner: CodeflashRunner) throws {
    self.runner = runner
    script = try EmbeddedScript.remeasure.write(into: runner.folder)
  }

  func measure(_ opportunity: OpportunityList.Opportunity, on side: SideEnvironment) throws -> Result {
    let text = try Data(contentsOf: URL(filePath: runner.clone + "/" + opportunity.file))
    let key = "\(side.path) \(opportunity.function) \(SHA256.hex(text))"
    if let result = known[key] { return result }
    let result = try measureAnew(opportunity, on: side)
    // What falls short is measured anew in the next run: a moment of noise must not decide for all of them.
    if result.sameAnswer, let speedup = result.speedup, speedup >= opportunity.leastSpeedup ?? .infinity {
      known[key] = result
    }
    return result
  }

  private func measureAnew(_ opportunity: OpportunityList.Opportunity, on side: SideEnvironment) throws -> Result {
    var best: [String: Double] = [:]
    var outcomes: [String: String] = [:]
    // Both at the start and both at the end: what drifts meanwhile hits them alike.
    for root in [runner.original, runner.clone, runner.clone, runner.original] {
      let answer = try run(opportunity, at: root, on: side)
      guard let seconds = answer.seconds, let outcome = answer.outcome else {
        return Result(speedup: nil, sameAnswer: false, reason: answer.failure)
      }
      best[root] = min(best[root] ?? .infinity, seconds)
      outcomes[root] = outcome
    }
    guard let before = best[runner.original], let after = best[runner.clone], after > 0 else {
      return Result(speedup: nil, sameAnswer: false, reason: nil)
    }
    return Result(speedup: before / after, sameAnswer: outcomes[runner.original] == outcomes[runner.clone])
  }

  private func run(
    _ opportunity: OpportunityList.Opportunity, at root: String, on side: SideEnvironment
  ) throws -> Answer {
    let workdir = runner.folder + "/remeasured"
    try FileManager.default.makeFresh(workdir)
    let order = Order(
      root: root, module: opportunity.module, setup: opportunity.setup, call: opportunity.call, workdir: workdir)
    let outcome = try ChildProcess(
      words: runner.service.words([side.interpreter, "-I", "-B", script]),
      environment: side.measuredEnvironment(home: workdir).merging(runner.service.refusedProxies) { $1 },
      directory: workdir, input: Array(try JSONEncoder().encode(order)), limitSeconds: 60
    ).run()
    let answer = try? JSONDecoder().decode(Answer.self, from: Data(outcome.output))  // none: its end tells why
    return answer ?? Answer(failure: "it \(outcome.end.words): \(outcome.outputTail(lines: 2))")
  }
}
