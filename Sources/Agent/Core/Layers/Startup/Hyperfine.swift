import FoundationEssentials
import Shared

/// hyperfine, asked for one run of each of a list of commands, in their order: one block.
struct Hyperfine {
  /// `-N` (no shell) came with this release.
  static let oldest = (1, 13)

  let path: String
  let version: String
  /// The first two parts of the version.
  let number: (Int, Int)

  /// What there is of it on this machine.
  enum Finding {
    case good(Hyperfine)
    /// It is not there, or does not run.
    case missing
    /// It can't start programs without a shell; says its version.
    case old(String)

    /// - Parameter environment: the agent's own.
    init(_ environment: [String: String], home: AgentHome) {
      guard let path = Executable.find(HostTool.hyperfine.rawValue, path: SetupTools.path(environment, home: home)),
        // What can't be started is as good as not there.
        let outcome = try? ChildProcess(
          program: path, arguments: ["--version"], environment: environment, directory: "/", limitSeconds: 20
        ).run(), outcome.succeeded
      else {
        self = .missing
        return
      }
      // `hyperfine 1.19.0`
      let version = outcome.outputText.split { " \n".contains($0) }.dropFirst().first.map(String.init) ?? "?"
      let parts = version.split(separator: ".").compactMap { Int($0) }
      if parts.count >= 2, (parts[0], parts[1]) >= Hyperfine.oldest {
        self = .good(Hyperfine(path: path, version: version, number: (parts[0], parts[1])))
      } else {
        self = .old(version)
      }
    }
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
