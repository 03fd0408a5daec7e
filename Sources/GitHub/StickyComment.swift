import FoundationEssentials
import Shared

/// One comment a pull request, found by a mark that nobody sees, and written anew by each run.
///
/// GitHub has no way to write a comment only if it is still as it was read. Runs that race may therefore each make one; every
/// run looks again after it wrote, the oldest comment stays, and the others are removed by whoever sees them. What stands in
/// the end is the newest run's.
public struct StickyComment: Sendable {
  private let api: GitHubAPI
  private let pull: Int
  /// Tells comments of several machines under one pull request apart.
  private let name: String

  /// GitHub takes 65,536 characters.
  public static let characterLimit = 65_536
  private static let rounds = 5

  public init(api: GitHubAPI, pull: Int, name: String = "comment") {
    self.api = api
    self.pull = pull
    self.name = name
  }

  /// Which of two runs is newer: by the run's number, then the attempt.
  public struct Stamp: Comparable, Equatable, Sendable {
    public var run: Int
    public var attempt: Int
    public init(run: Int, attempt: Int) {
      self.run = run
      self.attempt = attempt
    }
    public static func < (left: Stamp, right: Stamp) -> Bool {
      (left.run, left.attempt) < (right.run, right.attempt)
    }
  }

  public enum Outcome: Equatable, Sendable {
    case created(id: Int)
    case updated(id: Int)
    /// A newer run's words stand there already.
    case outdated(id: Int)
  }

  private struct Comment: Decodable {
    var id: Int
    var body: String?
    var user: GitHubEvent.User?
  }
  private struct Body: Encodable { var body: String }

  private var markStart: String { "<!-- cf-bench:\(name) run=" }

  private func marked(_ text: String, _ stamp: Stamp) -> String {
    "\(markStart)\(stamp.run) attempt=\(stamp.attempt) -->\n\(text)"
  }

  /// The stamp of a body that begins with the mark.
  private func stamp(of body: String) -> Stamp? {
    guard body.hasPrefix(markStart), let end = body.firstRange(of: " -->") else { return nil }
    let numbers = body[body.index(body.startIndex, offsetBy: markStart.count)..<end.lowerBound]
      .split(separator: " attempt=").map { Int($0) }
    guard numbers.count == 2, let run = numbers[0], let attempt = numbers[1] else { return nil }
    return Stamp(run: run, attempt: attempt)
  }

  /// Puts `text` under the pull request.
  /// - Throws: ``GitHubError``, after what may pass was tried again for as long as the API's patience lasts.
  public func put(_ text: String, stamp: Stamp) async throws -> Outcome {
    let body = Body(body: marked(text, stamp))
    let login = try await author()
    var outcome: Outcome?
    for _ in 0..<Self.rounds {
      let mine = try await ours(login)
      guard let oldest = mine.first else {
        let made = try await api.send(Comment.self, "POST", api.path("issues/\(pull)/comments"), body)
        outcome = .created(id: made.id)
        continue
      }
      let newest = mine.compactMap { self.stamp(of: $0.body ?? "") }.max()
      let isOutdated = newest.map { $0 > stamp } ?? false
      // A newer run's words go only by that run's hand, which looks after them; everything else is one too many.
      for extra in mine.dropFirst() where !isOutdated || self.stamp(of: extra.body ?? "").map({ $0 <= stamp }) == true {
        try await remove(extra.id)
      }
      if isOutdated { return .outdated(id: oldest.id) }
      if oldest.body.map({ normal($0) }) == normal(body.body) {
        return outcome.map { if case .created = $0 { .created(id: oldest.id) } else { $0 } } ?? .updated(id: oldest.id)
      }
      do {
        _ = try await api.send(Comment.self, "PATCH", api.path("issues/comments/\(oldest.id)"), body)
        if outcome == nil { outcome = .updated(id: oldest.id) }
      } catch let error as GitHubError where error.status == 404 { continue }  // removed meanwhile: looked for again
    }
    guard let outcome else {
      throw Problem(
        what: "the comment under pull request \(pull) does not stay as it was written",
        why: "others wrote to it each time", fix: "run one comparison a pull request at a time",
        exitStatus: .infrastructure)
    }
    return outcome
  }

  /// Our comments, the oldest first. The mark alone is no proof: anybody can write it.
  private func ours(_ login: String) async throws -> [Comment] {
    try await api.list(Comment.self, api.path("issues/\(pull)/comments"))
      .filter { comment in
        guard let body = comment.body, stamp(of: body) != nil, let user = comment.user else { return false }
        // GraphQL may leave out what REST puts behind the login of an app.
        return user.login == login || (user.type == "Bot" && user.login == login + "[bot]")
      }
      .sorted { $0.id < $1.id }
  }

  private func author() async throws -> String {
    do { return try await api.login() } catch let error as GitHubError where error.status == 403 || error.status == 404
    {
      return "github-actions[bot]"  // a token that may not ask for its owner is a workflow's
    }
  }

  private func remove(_ id: Int) async throws {
    do { try await api.delete(api.path("issues/comments/\(id)")) } catch let error as GitHubError
      where error.status == 404
    {
      return  // another run was faster
    }
  }

  /// GitHub keeps line ends as a form would send them, and cuts white space at the end.
  private func normal(_ body: String) -> String {
    var text = body.replacing("\r\n", with: "\n")
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
