import Shared
import Subprocess
import SystemPackage

/// Runs `az`, `gh` or `curl` to its end, in a session of its own: a Ctrl-C at the terminal is for cf-bench, which decides
/// itself which of its calls are given up.
public struct ChildTool: Sendable {
  public var program: String
  public var environment: [String: String]

  public init(program: String, environment: [String: String]) {
    self.program = program
    self.environment = environment
  }

  public struct Output: Sendable {
    public var succeeded: Bool
    /// 128 and the number for one ended by a signal.
    public var status: Int
    public var output: String
    public var error: String
  }

  /// - Parameter input: what the program reads; secrets travel this way, since arguments can be read by every user.
  /// - Throws: ``LimitPassed``, after which the program and all it started are gone; ``ToolMissing``.
  public func run(_ arguments: [String], input: String = "", limit: Duration) async throws -> Output {
    let name = program.split(separator: "/").last.map(String.init) ?? program
    return try await withLimit(limit, waitingFor: "'\(name) \(arguments.prefix(2).joined(separator: " "))'") {
      var options = PlatformOptions()
      options.createSession = true
      options.teardownSequence = [
        .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(500))
      ]
      do {
        let result = try await Subprocess.run(
          program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
          environment: .custom(
            Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1) })),
          platformOptions: options, input: .string(input), output: .string(limit: 32 << 20),
          error: .string(limit: 1 << 20))
        let status: Int =
          switch result.terminationStatus {
          case .exited(let code): Int(code)
          case .signaled(let signal): 128 + Int(signal)
          }
        return Output(
          succeeded: result.terminationStatus.isSuccess, status: status, output: result.standardOutput,
          error: result.standardError)
      } catch let error as SubprocessError {
        throw ToolMissing(program: program, words: "\(error)")
      }
    }
  }
}

/// A program of this machine that can't be started.
public struct ToolMissing: UserFacingError {
  public var program: String
  public var words: String

  public var what: String { "the program '\(program)' can't be started" }
  public var why: String? { words }
  public var fix: String {
    program.hasSuffix("gh")
      ? "install GitHub's command line (https://cli.github.com)" : "sudo apt-get install \(program)"
  }
  public var exitStatus: ExitStatus { .usage }
}
