import Foundation
import Shared

/// A check of a commit: stands as "in progress" while it is measured, and says apart what was found from what went wrong.
public struct CheckRun: Sendable {
  private let api: GitHubAPI
  public let id: Int

  /// How it ends. Source of the words and of what blocks a merge: GitHub's "About status checks".
  public enum Conclusion: String, Codable, Sendable {
    case success, failure, neutral, cancelled
    /// Could not measure: blocks as a failure does, and is shown as something to be looked at.
    case actionRequired = "action_required"
  }

  /// GitHub takes 65,535 bytes.
  public static let summaryLimit = 60_000

  public init(api: GitHubAPI, id: Int) {
    self.api = api
    self.id = id
  }

  private struct Output: Encodable {
    var title: String
    var summary: String
  }
  private struct Begin: Encodable {
    var name: String
    var headSha: String
    var status = "in_progress"
    var detailsUrl: String?
    var output: Output
    enum CodingKeys: String, CodingKey {
      case name, status, output
      case headSha = "head_sha"
      case detailsUrl = "details_url"
    }
  }
  private struct End: Encodable {
    var status = "completed"
    var conclusion: Conclusion
    var output: Output
  }
  private struct Made: Decodable {
    var id: Int
    var status: String?
  }

  /// - Parameter page: where the step's log is.
  public static func begin(
    _ name: String, of commit: CommitID, title: String, page: String?, api: GitHubAPI
  ) async throws -> CheckRun {
    let made = try await api.send(
      Made.self, "POST", api.path("check-runs"),
      Begin(name: name, headSha: commit.text, detailsUrl: page, output: Output(title: title, summary: title)))
    return CheckRun(api: api, id: made.id)
  }

  /// - Parameter summary: Markdown of at most ``summaryLimit`` bytes.
  public func end(_ conclusion: Conclusion, title: String, summary: String) async throws {
    _ = try await api.send(
      Made.self, "PATCH", api.path("check-runs/\(id)"),
      End(conclusion: conclusion, output: Output(title: title, summary: summary)))
  }

  /// Whether it has ended.
  public func isOver() async throws -> Bool {
    try await api.get(Made.self, api.path("check-runs/\(id)")).status == "completed"
  }
}
