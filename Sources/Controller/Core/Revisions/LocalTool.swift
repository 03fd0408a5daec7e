import Foundation
import Shared
import Tools

/// Runs a program of this machine (git, tar) to its end. Arguments are a vector; no shell sees them.
enum LocalTool {
  static func run(
    _ name: String, _ arguments: [String], limit: Duration = .seconds(120)
  ) async throws -> ChildTool.Output {
    let environment = GitEnvironment.cleaned(ProcessInfo.processInfo.environment).merging([
      "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
    ]) { $1 }
    let options = name == "git" ? GitEnvironment.options : []
    return try await ChildTool(program: name, environment: environment).run(options + arguments, limit: limit)
  }

  /// The first line of standard output.
  /// - Throws: ``RevisionError/tool(name:words:)`` with the tool's last output when it fails.
  static func line(_ name: String, _ arguments: [String]) async throws -> String {
    let result = try await run(name, arguments)
    guard result.succeeded else { throw RevisionError.tool(name: name, words: result.error) }
    return String(result.output.prefix { !$0.isNewline })
  }
}
