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
    var externalId: String
    var output: Output
    enum CodingKeys: String, CodingKey {
      case name, status, output
      case headSha = "head_sha"
      case detailsUrl = "details_url"
      case externalId = "external_id"
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
    var externalId: String?
    enum CodingKeys: String, CodingKey {
      case id, status
      case externalId = "external_id"
    }
  }

  /// - Parameters:
  ///   - key: tells it from those of other steps, for ``find(_:of:key:api:)``.
  ///   - page: where the step's log is.
  public static func begin(
    _ name: String, of commit: CommitID, key: String, title: String, page: String?, api: GitHubAPI
  ) async throws -> CheckRun {
    let made = try await api.send(
      Made.self, "POST", api.path("check-runs"),
      Begin(
        name: name, headSha: commit.text, detailsUrl: page, externalId: key,
        output: Output(title: title, summary: title)))
    return CheckRun(api: api, id: made.id)
  }

  /// One that was begun with `key` and has not ended; also one whose number never reached who began it.
  public static func find(
    _ name: String, of commit: CommitID, key: String, api: GitHubAPI
  ) async throws -> CheckRun? {
    struct Answer: Decodable {
      var checkRuns: [Made]
      enum CodingKeys: String, CodingKey { case checkRuns = "check_runs" }
    }
    let answer = try await api.get(
      Answer.self,
      api.path("commits/\(commit)/check-runs?check_name=\(GitHubAPI.segment(name))&filter=all&per_page=100"))
    return answer.checkRuns.first { $0.externalId == key && $0.status != "completed" }.map {
      CheckRun(api: api, id: $0.id)
    }
  }

  /// - Parameter summary: Markdown of at most ``summaryLimit`` bytes.
  public func end(_ conclusion: Conclusion, title: String, summary: String) async throws {
    _ = try await api.send(
      Made.self, "PATCH", api.path("check-runs/\(id)"),
      End(conclusion: conclusion, output: Output(title: title, summary: summary)))
  }
}
