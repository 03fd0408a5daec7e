import FoundationEssentials
import Shared
import Tools

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
        what: "\(what) did not answer", why: result.reason,
        fix: "check the network: curl \(address.prefix { $0 != "?" })", exitStatus: .infrastructure)
    }
    return result.output
  }

  /// The time of a server's clock, to the second, from the head of whatever it answers.
  public func date(of address: String, what: String) async throws -> Date {
    let result = try await trusting.run(
      ["--silent", "--show-error", "--head", "--max-time", "10", "--proto", "=https,http", "--config", "-"],
      input: "url = \(Self.quoted(address))\n", limit: .seconds(15))
    let line = result.output.split(whereSeparator: \.isNewline).last { $0.lowercased().hasPrefix("date:") }
    guard result.succeeded, let date = line.flatMap({ HTTPDate($0.dropFirst("date:".count)) }) else {
      throw Problem(
        what: "\(what) did not say what time it is",
        why: result.succeeded ? "there is no date in the answer of \(address)" : result.reason,
        fix: "check the network: curl --head \(address)", exitStatus: .infrastructure)
    }
    return date.date
  }

  /// Trusts the authorities that `az` was told to trust, which asks this variable first: a proxy that opens connections
  /// has one of its own.
  private var trusting: ChildTool {
    var tool = tool
    if let bundle = tool.environment["REQUESTS_CA_BUNDLE"], !bundle.isEmpty {
      tool.environment["CURL_CA_BUNDLE"] = bundle
    }
    return tool
  }

  /// As curl's configuration file wants it.
  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").filter { !$0.isNewline } + "\""
  }
}

/// A moment as HTTP has it: `Mon, 23 Nov 2026 21:10:00 GMT` (RFC 9110, section 5.6.7).
struct HTTPDate {
  var date: Date

  init?(_ text: Substring) {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard let match = text.firstMatch(of: /, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9:]{8}) GMT/),
      let month = months.firstIndex(of: String(match.output.2))
    else { return nil }
    let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
    guard let date = TagMoment.date("\(match.output.3)-\(number)-\(match.output.1)T\(match.output.4)Z") else {
      return nil
    }
    self.date = date
  }
}
