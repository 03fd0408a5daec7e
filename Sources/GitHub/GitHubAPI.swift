import FoundationEssentials
import Shared
import Tools

/// GitHub's REST API through the real `gh`, which knows hosts, proxies and tokens as they were set up.
///
/// Source of paths and fields: GitHub's REST API documentation, version 2022-11-28.
public struct GitHubAPI: Sendable {
  /// `OWNER/REPOSITORY`
  public let repository: String
  /// `gh`, with the token and the host that it needs.
  public let tool: ChildTool
  private let note: @Sendable (String) -> Void
  private let patience: Duration
  /// What pauses are multiplied with; trials can't wait as long as people can.
  private let pace: Double

  /// How long one call may take.
  private static let callLimit = Duration.seconds(30)
  private static let pauses: [Double] = [1, 2, 5, 10, 20]
  /// Pages of a hundred entries that are read at most.
  private static let pageLimit = 50

  /// - Parameters:
  ///   - patience: for how long calls that failed in passing are made again.
  ///   - note: is told of each new try.
  /// - Throws: ``Problem`` when the repository's name is none.
  public init(
    repository: String, environment: [String: String], patience: Duration = .seconds(120),
    note: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(Problem) {
    let parts = repository.split(separator: "/", omittingEmptySubsequences: false)
    let allowed = parts.allSatisfy { part in
      !part.isEmpty && part != "." && part != ".."
        && part.utf8.allSatisfy { $0 < 0x80 && (Self.isPlain($0)) }
    }
    guard parts.count == 2, allowed else {
      throw Problem(
        what: "'\(TextOfOthers.short(repository))' is not a repository on GitHub", fix: "write OWNER/REPOSITORY",
        exitStatus: .usage)
    }
    self.repository = repository
    self.note = note
    self.patience = patience
    pace = environment["CF_BENCH_GITHUB_PACE"].flatMap { Double($0) }.map { min(max($0, 0.001), 1) } ?? 1
    var environment = environment
    environment["GH_PROMPT_DISABLED"] = "1"
    environment["GH_NO_UPDATE_NOTIFIER"] = "1"
    environment["NO_COLOR"] = "1"
    environment["GH_DEBUG"] = nil
    if environment["GH_TOKEN"] == nil { environment["GH_TOKEN"] = environment["GITHUB_TOKEN"] }
    if environment["GH_HOST"] == nil, let host = Self.host(environment["GITHUB_SERVER_URL"]) {
      environment["GH_HOST"] = host
      environment["GH_ENTERPRISE_TOKEN"] = environment["GH_TOKEN"]
    }
    tool = ChildTool(program: environment["CF_BENCH_GH"] ?? "gh", environment: environment)
  }

  /// The host of a GitHub that is a company's own.
  private static func host(_ server: String?) -> String? {
    guard let server, let host = server.split(separator: "://").last?.prefix(while: { $0 != "/" }),
      server.hasPrefix("http"),
      host != "github.com"
    else { return nil }
    return String(host)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  /// A text as one segment of a path (RFC 3986, section 2.3): nothing in it is a separator.
  public static func segment(_ text: String) -> String {
    text.utf8.map { byte in
      if isPlain(byte) { return String(UnicodeScalar(byte)) }
      let hex = String(byte, radix: 16, uppercase: true)
      return "%" + (hex.count == 1 ? "0" : "") + hex
    }.joined()
  }

  /// A path below this repository.
  public func path(_ rest: String) -> String { "repos/\(repository)/\(rest)" }

  // MARK: Calls

  public func get<Answer: Decodable>(_ type: Answer.Type, _ path: String) async throws -> Answer {
    try decode(type, try await patiently("GET", path, nil), path)
  }

  /// - Returns: what GitHub made of it.
  public func send<Answer: Decodable>(
    _ type: Answer.Type, _ method: String, _ path: String, _ body: some Encodable
  ) async throws -> Answer {
    try decode(type, try await patiently(method, path, try json(body)), path)
  }

  public func delete(_ path: String) async throws { _ = try await patiently("DELETE", path, nil) }

  /// All entries of a list, page by page.
  public func list<Entry: Decodable>(_ type: Entry.Type, _ path: String) async throws -> [Entry] {
    var all: [Entry] = []
    for page in 1...Self.pageLimit {
      let separator = path.contains("?") ? "&" : "?"
      let entries = try await get([Entry].self, "\(path)\(separator)per_page=100&page=\(page)")
      all += entries
      if entries.count < 100 { break }
    }
    return all
  }

  /// Login of whom the token belongs to, as it stands beside comments.
  public func login() async throws -> String {
    struct Query: Encodable { var query = "query { viewer { login } }" }
    struct Answer: Decodable {
      struct Data: Decodable { var viewer: GitHubEvent.User }
      var data: Data
    }
    let answer = try await send(Answer.self, "POST", "graphql", Query())
    return answer.data.viewer.login
  }

  public func pull(_ number: Int) async throws -> PullRequest {
    try await get(PullRequest.self, path("pulls/\(number)"))
  }

  /// The open pull requests of a branch, the newest first.
  /// - Parameter owner: of the repository that holds the branch; this one's if nil.
  public func openPulls(ofBranch branch: String, owner: String? = nil) async throws -> [PullRequest] {
    let ownerName = owner ?? String(repository.prefix { $0 != "/" })
    let head = Self.segment("\(ownerName):\(branch)")
    // An owner may have forks of its own repository.
    return try await list(PullRequest.self, path("pulls?state=open&head=\(head)"))
      .filter { $0.head.ref == branch && (owner != nil || !$0.isFromFork) }.sorted { $0.number > $1.number }
  }

  /// The commit that a branch, a tag or a short name stands for now; `nil` for none.
  public func commit(_ ref: String) async throws -> CommitID? {
    struct Answer: Decodable { var sha: String }
    do { return CommitID(try await get(Answer.self, path("commits/\(Self.segment(ref))")).sha) } catch let error
      as GitHubError
      where error.status == 404 || error.status == 422
    { return nil }
  }

  public struct Comparison: Decodable, Sendable {
    /// Where the second stands to the first: `ahead`, `behind`, `identical` or `diverged`.
    public var status: String
    public var aheadBy: Int
    public var behindBy: Int
    /// The last commit that both have.
    public var mergeBase: Commit?
    public struct Commit: Decodable, Sendable { public var sha: String }
    enum CodingKeys: String, CodingKey {
      case status
      case mergeBase = "merge_base_commit"
      case aheadBy = "ahead_by"
      case behindBy = "behind_by"
    }
  }

  /// How `head` stands to `base`; `nil` when GitHub knows one of them not.
  public func compare(_ base: String, _ head: String) async throws -> Comparison? {
    do {
      return try await get(
        Comparison.self, path("compare/\(Self.segment(base))...\(Self.segment(head))?per_page=1"))
    } catch let error as GitHubError where error.status == 404 { return nil }
  }

  // MARK: One call, and the next ones

  private func patiently(_ method: String, _ path: String, _ body: String?) async throws -> String {
    let start = ContinuousClock.now
    var pauses = Self.pauses[...]
    while true {
      do { return try await once(method, path, body) } catch let error as GitHubError where error.isTransient {
        let usual = pauses.popFirst() ?? 30
        let pause = Duration.seconds((error.retryAfter.map { max(Double($0), 1) } ?? usual) * pace)
        let left = patience - start.duration(to: .now)
        guard left > pause else { throw error }
        note("\(error.what): trying again in \(pause.words), for \(left.words) at most")
        try await Task.sleep(for: pause)
      }
    }
  }

  private func once(_ method: String, _ path: String, _ body: String?) async throws -> String {
    let during = "\(method) \(path.prefix { $0 != "?" })"
    let answer: ChildTool.Output
    do {
      answer = try await tool.run(
        ["api", "--include", "--method", method, "--header", "X-GitHub-Api-Version: 2022-11-28", path]
          + (body == nil ? [] : ["--input", "-"]),
        input: body ?? "", limit: Self.callLimit)
    } catch is LimitPassed { throw GitHubError(.late(Self.callLimit), during: during) }
    try Task.checkCancellation()
    let head = ResponseHead(answer.output)
    guard let head else { throw GitHubError(.unreached(words: answer.reason), during: during) }
    guard 200..<300 ~= head.status else { throw GitHubError(head, words: answer.error, during: during) }
    // Cut in the middle.
    guard answer.succeeded else { throw GitHubError(.unreached(words: answer.reason), during: during) }
    return head.body
  }

  private func json(_ body: some Encodable) throws -> String {
    return String(decoding: try JSONEncoder.line.encode(body), as: UTF8.self)
  }

  private func decode<Answer: Decodable>(_ type: Answer.Type, _ text: String, _ path: String) throws -> Answer {
    do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
      throw GitHubError(
        .unreadable(words: "\(DecodingErrorText.describe(error)), in: \(TextOfOthers.short(text, limit: 200))"),
        during: String(path.prefix { $0 != "?" }))
    }
  }
}

/// What `gh api --include` prints before the body: a status line and headers, as HTTP/1.1 has them.
struct ResponseHead {
  var status: Int
  /// Names in small letters.
  var headers: [String: String] = [:]
  var body: String

  /// `nil` when the text does not begin with a status line: no answer came.
  init?(_ text: String) {
    let text = text.replacing("\r\n", with: "\n")
    guard text.hasPrefix("HTTP/"), let gap = text.firstRange(of: "\n\n") else { return nil }
    let lines = text[..<gap.lowerBound].split(separator: "\n")
    guard let first = lines.first?.split(separator: " "), first.count >= 2, let status = Int(first[1]) else {
      return nil
    }
    self.status = status
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingPrefix(" ").description
    }
    body = String(text[gap.upperBound...])
  }
}

/// What GitHub, or `gh`, would not do: in words that a person can act on.
public struct GitHubError: UserFacingError, Equatable {
  public enum Cause: Equatable, Sendable {
    case refused(status: Int, message: String)
    /// No answer came.
    case unreached(words: String)
    case unreadable(words: String)
    case late(Duration)
  }

  public var cause: Cause
  /// The call: `POST repos/O/R/issues/7/comments`.
  public var during: String
  /// Seconds that GitHub asks to wait.
  public var retryAfter: Int?
  /// Whether the limit of calls is what stands in the way.
  private var isLimited = false

  init(_ cause: Cause, during: String) {
    self.cause = cause
    self.during = during
  }

  init(_ head: ResponseHead, words: String, during: String) {
    struct Body: Decodable { var message: String? }
    // A proxy's page is no JSON: then gh's own words stand.
    let said = try? JSONDecoder().decode(Body.self, from: Data(head.body.utf8)).message
    let message = said ?? words.replacing("gh: ", with: "")
    cause = .refused(status: head.status, message: String(message.prefix(300)))
    self.during = during
    retryAfter = head.headers["retry-after"].flatMap { Int($0) }
    // Source: "Rate limits for the REST API": 403 or 429, with one of these marks.
    isLimited =
      head.status == 429
      || (head.status == 403
        && (retryAfter != nil || head.headers["x-ratelimit-remaining"] == "0"
          || message.lowercased().contains("rate limit")))
  }

  /// The answer's status; `nil` when there was none.
  public var status: Int? { if case .refused(let status, _) = cause { status } else { nil } }

  public var isTransient: Bool {
    switch cause {
    case .refused(let status, _): isLimited || status >= 500 || status == 408
    case .unreached(let words): !words.contains("gh auth login") && !words.contains("GH_TOKEN")
    case .late: true
    case .unreadable: false
    }
  }

  public var what: String {
    switch cause {
    case .refused where isLimited: "GitHub accepts no more calls for now"
    case .refused(401, _): "GitHub does not know this token"
    case .refused(403, _): "the token may not do that on GitHub: \(during)"
    case .refused(404, _): "GitHub does not have this, or the token may not see it: \(during)"
    case .refused(422, _): "GitHub rejects this request: \(during)"
    case .refused(let status, _): "GitHub answered \(status) to \(during)"
    case .unreached(let words) where words.contains("gh auth login") || words.contains("GH_TOKEN"):
      "nobody is signed in to GitHub"
    case .unreached: "GitHub did not answer to \(during)"
    case .unreadable: "GitHub's answer to \(during) is not what cf-bench expects"
    case .late: "gh did not end: \(during)"
    }
  }

  public var why: String? {
    switch cause {
    case .refused(_, let message): message
    case .unreached(let words), .unreadable(let words): words.isEmpty ? nil : String(words.prefix(400))
    case .late(let limit): "no answer in \(limit.words)"
    }
  }

  public var fix: String {
    switch cause {
    case .refused where isLimited:
      "try again \(retryAfter.map { "in \(Duration.seconds($0).words)" } ?? "later")"
    case .refused(401, _): "give the step a valid token (input 'token', variable GH_TOKEN)"
    case .refused(403, _), .refused(404, _):
      "give the job the permissions it needs: pull-requests: write for the comment, checks: write for the check (docs/github.md)"
    case .refused(422, _): "report it with the lines above"
    case .unreached(let words) where words.contains("gh auth login") || words.contains("GH_TOKEN"):
      "set GH_TOKEN, or run: gh auth login"
    case .refused, .unreached, .late: "try again; https://www.githubstatus.com tells of GitHub's own troubles"
    case .unreadable: "cf-bench was tried with gh 2.23: install that or a later one, or report the lines above"
    }
  }

  public var exitStatus: ExitStatus { .infrastructure }
}
