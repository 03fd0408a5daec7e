import FoundationEssentials
import Shared

/// Asks the target's own interpreter what of the harness's settings is in force there.
struct HarnessSettings {
  /// What `harness_settings.py` answers.
  struct Answer: Decodable, Equatable {
    var hash: Int
    var home: String
    var temporary: String
    var encoding: String
    var allocator: [String]
    /// For how long codeflash times one candidate, in seconds.
    var looping: Double?
    var loopingFailure: String?
  }

  /// - Parameter codeflash: whether codeflash is asked too.
  /// - Throws: ``Problem`` when the interpreter does not answer.
  static func ask(
    _ side: SideEnvironment, environment: [String: String], codeflash: Bool = false, in context: LayerContext
  ) throws -> Answer {
    let script = try EmbeddedScript.harnessSettings.write(into: context.scratch)
    let outcome = try ChildProcess(
      words: [side.interpreter, script] + (codeflash ? ["codeflash"] : []), environment: environment,
      directory: context.scratch, limitSeconds: 60
    ).run()
    // Codeflash may print while it is imported: the answer is the last line.
    let last = outcome.output.split(separator: UInt8(ascii: "\n")).last.map { Data($0) } ?? Data()
    guard outcome.succeeded, let answer = try? JSONDecoder().decode(Answer.self, from: last) else {  // told below
      throw Problem(
        what: "the interpreter of \(side.label) does not say what it was set to", why: outcome.outputTail(),
        fix: "run on the benchmark host: \(side.interpreter) -c 'import json, tempfile'", exitStatus: .partial)
    }
    return answer
  }

  /// What holds for every layer.
  static func general(_ context: LayerContext) throws {
    let home = context.scratch + "/settings-home"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    for side in context.sides {
      let seeded = context.surroundings(of: 1).applied(to: side.measuredEnvironment(home: home))
      let answer = try ask(side, environment: seeded, in: context)
      let isHome = answer.home == home && answer.temporary == home
      let settings: [EffectiveSettings.Setting] = [
        .init(
          name: .hashSeed, value: "seed 1 makes \(answer.hash)",
          evidence: "hash('cf-bench'); each block has a seed of its own"),
        .init(
          name: .home, value: isHome ? "the job's own" : "\(answer.home), \(answer.temporary)",
          evidence: "os.path.expanduser('~'), tempfile.gettempdir()"),
        .init(
          name: .encoding, value: answer.encoding, evidence: "sys.getfilesystemencoding(), sys.stdout.encoding"),
        .init(
          name: .allocator, value: answer.allocator.isEmpty ? "Python's own" : answer.allocator.joined(separator: " "),
          evidence: "os.environ"),
      ]
      try context.sink.emit(
        .effectiveSettings(EffectiveSettings(side: side.side, python: context.python, settings: settings)))
    }
  }
}

/// For how long codeflash times one candidate: the same on both sides, or the report says that it was not.
///
/// Releases up to 0.20.5 have a constant of 10 s; later ones read `CODEFLASH_LOOPING_TIME`. Where a side does not take the
/// variable, the constant is set on both; where that is not there either, both are left at their own value.
final class LoopingTime {
  static let variable = "CODEFLASH_LOOPING_TIME"

  private enum Way: Equatable {
    case variable
    /// By `looping_time.py`, at this path.
    case module(String)
    case none
  }

  private let seconds: Double
  private let way: Way
  private let remark: String?
  /// What codeflash's own module says, in seconds.
  private var constants: [Side: Double] = [:]
  private var failures: [Side: String] = [:]
  /// What its processes were given, in seconds.
  private var given: [Side: Set<String>] = [:]
  private var told: [Side: EffectiveSettings] = [:]

  /// - Parameter environment: what codeflash's runs get, but for the variable.
  init(
    wanted seconds: Double, environment: (SideEnvironment) -> [String: String], in context: LayerContext
  ) throws {
    self.seconds = seconds
    let answers = try context.sides.map { side in
      let environment = environment(side).merging([Self.variable: "\(seconds)"]) { $1 }
      return (side: side, answer: try HarnessSettings.ask(side, environment: environment, codeflash: true, in: context))
    }
    for (side, answer) in answers {
      constants[side.side] = answer.looping
      failures[side.side] = answer.loopingFailure
    }
    let deaf = answers.filter { $0.answer.looping != seconds }
    guard !deaf.isEmpty else {
      (way, remark) = (.variable, nil)
      return
    }
    let both = context.sides.count == 2 ? " on both sides" : ""
    let reason = "\(deaf.map(\.side.label).joined(separator: " and ")) does not take \(Self.variable)"
    if answers.allSatisfy({ $0.answer.looping != nil }) {
      way = .module(try EmbeddedScript.loopingTime.write(into: context.scratch))
      remark = "Looping time \(seconds) s is set in codeflash's own module\(both): \(reason)."
    } else {
      way = .none
      remark = "The looping time is left at codeflash's own\(both): \(reason), and its module has no such value."
    }
  }

  var environment: [String: String] { way == .variable ? [Self.variable: "\(seconds)"] : [:] }

  /// The words that start codeflash's script with its arguments.
  func words(_ script: [String]) -> [String] {
    if case .module(let path) = way { [path, "\(seconds)"] + script } else { script }
  }

  /// Takes in what a run showed, and tells what is new.
  /// - Parameter values: what its processes were given for ``TreeSampler/watchedOption``.
  func saw(
    _ values: Set<String>, _ log: RequestLog, on side: SideEnvironment, isLive: Bool, in context: LayerContext
  ) throws {
    given[side.side, default: []].formUnion(values)
    let values = (given[side.side] ?? []).compactMap(Double.init).sorted()
    // A constant that was set over is not what is in force.
    let constant = way == .variable ? constants[side.side] : nil
    let seen = values.isEmpty ? constant.map { [$0] } ?? [] : values
    let looping = EffectiveSettings.Setting(
      name: .loopingTime, value: seen.isEmpty ? nil : seen.map { "\($0) s" }.joined(separator: " and "),
      evidence: values.isEmpty
        ? constant != nil
          ? "codeflash.code_utils.config_consts.TOTAL_LOOPING_TIME_EFFECTIVE"
          : "neither its module nor its processes show it" + (failures[side.side].map { ": \($0)" } ?? "")
        : "codeflash ran pytest with \(TreeSampler.watchedOption)\(values.map { "\($0)" }.joined(separator: ", "))",
      remark: remark)
    var settings = [looping]
    if !log.requests.isEmpty {
      let reports = log.requests.contains { $0.endpoint == LoggedRequest.telemetry }
      settings += [
        .init(
          name: .servers, value: isLive ? "the live service, passed on" : "the stand-in",
          evidence: "its requests came to the stand-in"),
        .init(
          name: .telemetry, value: reports ? "on" : "off",
          evidence: "\(reports ? "a" : "no") request \(LoggedRequest.telemetry)"),
      ]
    }
    let now = EffectiveSettings(side: side.side, python: context.python, settings: settings)
    guard told[side.side] != now else { return }
    told[side.side] = now
    try context.sink.emit(.effectiveSettings(now))
  }
}
