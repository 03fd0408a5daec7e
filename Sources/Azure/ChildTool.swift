import Shared
import Subprocess
import SystemPackage

/// Runs `az` or `curl` to its end, in a session of its own: a Ctrl-C at the terminal is for cf-bench, which decides itself
/// which of its calls are given up.
struct ChildTool: Sendable {
  var program: String
  var environment: [String: String]

  struct Output: Sendable {
    var succeeded: Bool
    /// 128 and the number for one ended by a signal.
    var status: Int
    var output: String
    var error: String
  }

  /// - Parameter input: what the program reads; secrets travel this way, since arguments can be read by every user.
  /// - Throws: ``LimitPassed``, after which the program and all it started are gone; ``AzureError`` when it is not there.
  func run(_ arguments: [String], input: String = "", limit: Duration) async throws -> Output {
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
        throw AzureError(.toolMissing(program: program, words: "\(error)"), during: arguments.joined(separator: " "))
      }
    }
  }
}
