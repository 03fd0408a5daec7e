import Foundation
import Subprocess
import SystemPackage

/// Markdown as GitHub shows it, looked through for what names could have put in (`Tests/Markdown/check.py`).
public enum RenderedMarkdown {
  /// - Parameter links: addresses that may stand behind a link.
  /// - Returns: a line a finding.
  public static func findings(_ markdown: String, links: [String] = []) async throws -> String {
    let root = SchemaValidator.packageRoot.path
    let result = try await Subprocess.run(
      .path(FilePath(root + "/.tools/venv/bin/python")),
      arguments: Arguments([root + "/Tests/Markdown/check.py"] + links), input: .string(markdown),
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    guard case .exited(let code) = result.terminationStatus, code <= 1 else {
      return "the check does not run: \(result.standardError)"
    }
    return result.standardOutput + result.standardError
  }
}
