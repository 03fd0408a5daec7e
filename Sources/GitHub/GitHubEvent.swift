import FoundationEssentials
import Shared

/// What happened in a repository, as GitHub tells a workflow: the event's name, and the file of its payload.
///
/// Only what decisions are made from is read. Source: GitHub's "Webhook events and payloads", and "Events that trigger
/// workflows". Texts in it were typed by anybody.
public struct GitHubEvent: Sendable {
  /// `push`, `pull_request`, …
  public var name: String
  public var payload: Payload

  public init(name: String, payload: Payload) {
    self.name = name
    self.payload = payload
  }

  public struct Payload: Decodable, Sendable {
    public var action: String?
    /// `refs/heads/perf/x`
    public var ref: String?
    public var deleted: Bool?
    /// The commit that a push left at the ref.
    public var after: String?
    public var label: Label?
    public var sender: User?
    public var pullRequest: PullRequest?
    public var issue: Issue?
    public var comment: Comment?
    public var workflowRun: WorkflowRun?
    public var repository: Repository?

    public init() {}

    enum CodingKeys: String, CodingKey {
      case action, ref, deleted, after, label, sender, issue, comment, repository
      case pullRequest = "pull_request"
      case workflowRun = "workflow_run"
    }
  }

  public struct User: Decodable, Sendable, Equatable {
    public var login: String
    /// `User`, `Bot`, …
    public var type: String?
  }

  public struct Label: Decodable, Sendable { public var name: String }

  public struct Repository: Decodable, Sendable {
    public var fullName: String
    public var isPrivate: Bool?
    public var defaultBranch: String?
    public var owner: User?
    enum CodingKeys: String, CodingKey {
      case owner
      case fullName = "full_name"
      case isPrivate = "private"
      case defaultBranch = "default_branch"
    }
  }

  public struct Issue: Decodable, Sendable {
    public var number: Int
    public var state: String?
    /// There when the issue is a pull request.
    public var pullRequest: Presence?
    enum CodingKeys: String, CodingKey {
      case number, state
      case pullRequest = "pull_request"
    }
  }

  /// An object whose being there is all that counts.
  public struct Presence: Decodable, Sendable {}

  public struct Comment: Decodable, Sendable {
    public var body: String
    public var user: User
  }

  public struct WorkflowRun: Decodable, Sendable {
    public var id: Int
    /// What the run was started by.
    public var event: String
    public var headSha: String
    public var headBranch: String?
    /// `nil` when that repository is gone.
    public var headRepository: Repository?
    enum CodingKeys: String, CodingKey {
      case id, event
      case headSha = "head_sha"
      case headBranch = "head_branch"
      case headRepository = "head_repository"
    }
  }

  /// Reads what a step's environment says of its event.
  /// - Throws: ``Problem`` where this is no step of a workflow, or its payload can't be read.
  public init(environment: [String: String]) throws(Problem) {
    let fix = "run it as a step of a workflow (docs/github.md); on a laptop 'cf-bench compare' measures"
    guard let name = environment["GITHUB_EVENT_NAME"], !name.isEmpty, let path = environment["GITHUB_EVENT_PATH"],
      !path.isEmpty
    else {
      throw Problem(
        what: "this is not a step of a GitHub workflow", why: "GITHUB_EVENT_NAME and GITHUB_EVENT_PATH are not set",
        fix: fix, exitStatus: .usage)
    }
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw Problem(what: "the event's payload '\(path)' can't be read", fix: fix, exitStatus: .usage)
    }
    do { payload = try JSONDecoder().decode(Payload.self, from: bytes) } catch {
      throw Problem(
        what: "the payload of the event '\(name)' is not what GitHub sends", why: DecodingErrorText.describe(error),
        fix: fix, exitStatus: .usage)
    }
    self.name = name
  }
}

/// A pull request, as the API and the payloads of events have it.
public struct PullRequest: Decodable, Sendable {
  public var number: Int
  public var state: String
  public var head: End
  public var base: End

  public struct End: Decodable, Sendable {
    public var sha: String
    /// The branch's name.
    public var ref: String
    /// `nil` when the repository is gone.
    public var repo: GitHubEvent.Repository?
  }

  public var isOpen: Bool { state == "open" }

  /// Whether whoever pushes to its head may push to its base: one repository. A fork of the same owner is a fork, and so is
  /// a head whose repository is gone.
  public var isFromFork: Bool {
    guard let head = head.repo?.fullName, let base = base.repo?.fullName else { return true }
    return head.lowercased() != base.lowercased()
  }
}

/// A full commit name, in small letters.
public struct CommitID: Equatable, Hashable, Sendable, CustomStringConvertible {
  public let text: String
  public var description: String { text }

  /// `nil` unless it is 40 (SHA-1) or 64 (SHA-256) hexadecimal digits, and not all of them 0, which git writes for none.
  public init?(_ text: String) {
    let small = text.lowercased()
    guard [40, 64].contains(small.utf8.count), small.utf8.allSatisfy(Self.isHex),
      small.utf8.contains(where: { $0 != 0x30 })
    else { return nil }
    self.text = small
  }

  static func isHex(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
}
