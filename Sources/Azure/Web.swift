import Shared

/// Reads a page over https, with the machine's own `curl`: it knows proxies and certificates as the person set them up.
public struct Web: Sendable {
  private let tool: ChildTool

  public init(environment: [String: String]) { tool = ChildTool(program: "curl", environment: environment) }

  /// - Parameters:
  ///   - headers: sent along; they travel over standard input, so no other user can read them.
  ///   - what: for words: `the price list`.
  public func get(_ address: String, headers: [String] = [], what: String) async throws -> String {
    let lines = ["url = \(Self.quoted(address))"] + headers.map { "header = \(Self.quoted($0))" }
    let result = try await tool.run(
      [
        "--silent", "--show-error", "--fail", "--location", "--max-time", "15", "--proto", "=https,http", "--config",
        "-",
      ],
      input: lines.joined(separator: "\n") + "\n", limit: .seconds(20))
    guard result.succeeded else {
      throw Problem(
        what: "\(what) did not answer", why: result.error.isEmpty ? "curl ended with \(result.status)" : result.error,
        fix: "check the network: curl \(address.prefix { $0 != "?" })", exitStatus: .infrastructure)
    }
    return result.output
  }

  /// As curl's configuration file wants it.
  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").filter { !$0.isNewline } + "\""
  }
}
