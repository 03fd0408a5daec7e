import ControllerCore
import Foundation
import Shared
import Subprocess
import SystemPackage

/// Measures slowdowns of known size with the program itself: `cf-bench compare` as a process of its own, over SSH to a
/// private sshd on this machine, from folders to verdict.
struct RealComparisons {
  static let added = [0, 0.02, 0.05, 0.10]
  /// Of the package's usual work: a run is then short beside the interpreter's start, and a comparison a matter of seconds.
  private static let scale = 0.3

  var environment: [String: String]
  /// How often each slowdown is measured.
  var rounds: Int
  /// For how long each comparison may measure.
  var budgetSeconds: Int
  var note: (String) -> Void

  func run() async throws -> [RealComparison] {
    let package = try SpinnerPackage.find()
    return try await withTemporaryFolder { folder in
      try package.copy(to: "\(folder)/base", times: Self.scale)
      try Data(Self.settings.utf8).write(to: URL(filePath: "\(folder)/cf-bench.yaml"))
      var found: [RealComparison] = []
      for hasNeighbour in [false, true] {
        let neighbour = hasNeighbour ? Neighbour() : nil
        defer { neighbour?.leave() }
        for round in 1...rounds {
          for added in Self.added {
            let head = "\(folder)/head-\(Numbers.fixed(100 * added, 0))"
            if !FileManager.default.fileExists(atPath: head) {
              try package.copy(to: head, times: Self.scale * (1 + added))
            }
            note(
              "measuring \(Numbers.fixed(100 * added, 0)) % more work\(hasNeighbour ? " beside a neighbour" : ""), "
                + "round \(round) of \(rounds)")
            found.append(
              try await compare(added, round: round, hasNeighbour: hasNeighbour, head: head, in: folder))
          }
        }
      }
      return found
    }
  }

  private static let settings = """
    target:
      package: spinner
      import: spinner
    startup:
      commands:
        - { name: spin, run: [spin] }
        - { name: python -c pass, run: [python, -c, pass], control: true }
      import-runs: 1

    """

  private func compare(
    _ added: Double, round: Int, hasNeighbour: Bool, head: String, in folder: String
  ) async throws -> RealComparison {
    // The settings of this shell must not change what is measured; the lock of the machine stays the usual one.
    var variables = environment.filter { !$0.key.hasPrefix("CF_BENCH_") || $0.key == "CF_BENCH_LOCK" }
    variables["CF_BENCH_HOME"] = "\(folder)/far"
    if let agent = environment["CF_BENCH_AGENT"] { variables["CF_BENCH_AGENT"] = agent }
    let start = ContinuousClock.now
    let result = try await Subprocess.run(
      .path(FilePath(LoopbackBench.programs + "/cf-bench")),
      arguments: [
        "compare", "path:\(folder)/base", "path:\(head)", "--machine", "local", "--layers", "startup", "--config",
        "\(folder)/cf-bench.yaml", "--results", "\(folder)/results", "--budget", "\(budgetSeconds)s",
        "--json", "--quiet",
      ],
      environment: .custom(
        Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
      workingDirectory: FilePath(folder), output: .string(limit: 4 << 20), error: .string(limit: 1 << 20))
    let seconds = (ContinuousClock.now - start).inSeconds
    guard let document = try? JSONDecoder().decode(ComparisonDocument.self, from: Data(result.standardOutput.utf8)),
      let metric = document.metrics.first(where: { $0.name == "spin" })
    else {
      throw Problem(
        what: "a comparison of two folders gave no result", why: String(result.standardError.suffix(2000)),
        fix: "run 'cf-bench doctor', or leave that part out: --simulated-only", exitStatus: .infrastructure)
    }
    return RealComparison(
      added: added, round: round, hasNeighbour: hasNeighbour,
      verdict: document.verdict == .void ? document.verdict.rawValue : metric.verdict.rawValue, ratio: metric.ratio,
      low: metric.low, high: metric.high, floor: metric.floor, blocks: metric.blocks, setAside: metric.setAside,
      baseSeconds: metric.base, seconds: seconds)
  }
}
