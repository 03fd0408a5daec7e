import FoundationEssentials
import Shared

/// hyperfine, asked for one run of each of a list of commands, in their order: one block.
struct Hyperfine {
  /// `-N` (no shell) came with this release.
  static let oldest = (major: 1, minor: 13)
  private static let fix =
    "on the benchmark host: sudo apt-get install hyperfine, or take a release from https://github.com/sharkdp/hyperfine/releases"

  let path: String
  let version: String

  /// - Parameter environment: the agent's own, whose `PATH` is searched.
  /// - Throws: ``Problem`` when it is missing or older than ``oldest``.
  init(environment: [String: String]) throws {
    guard let path = Executable.find("hyperfine", path: environment["PATH"] ?? "") else {
      throw Problem(
        what: "hyperfine is missing on the benchmark host", why: "it measures the startup layer; it is not on the PATH",
        fix: Self.fix, exitStatus: .infrastructure)
    }
    let outcome = try ChildProcess(
      program: path, arguments: ["--version"], environment: environment, directory: "/", limitSeconds: 20
    ).run()
    // `hyperfine 1.19.0`
    let version = outcome.outputText.split { " \n".contains($0) }.dropFirst().first.map(String.init) ?? "?"
    let parts = version.split(separator: ".").compactMap { Int($0) }
    guard outcome.succeeded, parts.count >= 2, (parts[0], parts[1]) >= (Self.oldest.major, Self.oldest.minor) else {
      throw Problem(
        what: "hyperfine on the benchmark host is too old: \(version)",
        why: "\(Self.oldest.major).\(Self.oldest.minor) or later is needed, to time commands without a shell",
        fix: Self.fix, exitStatus: .infrastructure)
    }
    self.path = path
    self.version = version
  }

  /// One run, as hyperfine exports it.
  struct Run: Decodable, Equatable {
    var times: [Double]?
    var user: Double?
    var system: Double?
    /// `nil` where a signal ended the run.
    var exit_codes: [Int32?]?

    var seconds: Double? { times?.first }
    var exitCode: Int32? { exit_codes?.first ?? nil }
  }

  private struct Export: Decodable { var results: [Run] }

  /// Runs each command line once, in order, and hands each run over as soon as hyperfine has it.
  ///
  /// hyperfine rewrites its export after each command, so an export to its own standard output is a stream of growing
  /// documents. The commands' own output goes to /dev/null. How a command exits is not hyperfine's business here (`-i`):
  /// the exit codes are in the export.
  func runOnce(
    _ commandLines: [String], environment: [String: String], directory: String, limitSeconds: Double,
    each: (_ index: Int, _ run: Run) throws -> Void
  ) throws -> ChildProcess.Outcome {
    var document: [UInt8] = []
    var handedOver = 0
    var failure: (any Error)?
    func take(_ line: [UInt8]) {
      document += line + [UInt8(ascii: "\n")]
      guard line == [UInt8(ascii: "}")], failure == nil else { return }
      defer { document.removeAll(keepingCapacity: true) }
      do {
        let runs = try JSONDecoder().decode(Export.self, from: Data(document)).results
        for index in handedOver..<max(handedOver, runs.count) { try each(index, runs[index]) }
        handedOver = max(handedOver, runs.count)
      } catch {
        failure = error
      }
    }
    let outcome = try withoutActuallyEscaping(take) { take in
      try ChildProcess(
        program: path,
        arguments: ["--shell=none", "--runs=1", "--style=none", "--ignore-failure", "--export-json=/dev/stdout", "--"]
          + commandLines,
        environment: environment, directory: directory, limitSeconds: limitSeconds, onOutputLine: take
      ).run()
    }
    if let failure { throw failure }
    return outcome
  }
}
