import Foundation
import Shared
import Subprocess
import SystemPackage

/// Runs a program of this machine (git, tar) to its end. Arguments are a vector; no shell sees them.
enum LocalTool {
  struct Output: Sendable {
    var succeeded: Bool
    var output: String
    var error: String
  }

  static func run(
    _ name: String, _ arguments: [String], in folder: String? = nil, limit: Duration = .seconds(120)
  ) async throws -> Output {
    try await withLimit(limit, waitingFor: "'\(name) \(arguments.first ?? "")'") {
      do {
        let result = try await Subprocess.run(
          .name(name), arguments: Arguments(arguments),
          environment: .inherit.updating(["GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"]),
          workingDirectory: folder.map { FilePath($0) },
          output: .string(limit: 16 << 20), error: .string(limit: 1 << 20))
        return Output(
          succeeded: result.terminationStatus.isSuccess, output: result.standardOutput, error: result.standardError)
      } catch let error as SubprocessError {
        throw RevisionError.tool(name: name, words: "\(error)")
      }
    }
  }

  /// The first line of standard output.
  /// - Throws: ``RevisionError/tool(name:words:)`` with the tool's last words when it fails.
  static func line(_ name: String, _ arguments: [String], in folder: String? = nil) async throws -> String {
    let result = try await run(name, arguments, in: folder)
    guard result.succeeded else { throw RevisionError.tool(name: name, words: result.error) }
    return String(result.output.prefix { !$0.isNewline })
  }
}
