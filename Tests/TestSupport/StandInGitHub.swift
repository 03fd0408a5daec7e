import Foundation

/// A stand-in for GitHub's REST API on loopback, for the real `gh` (`Tests/StandInGitHub`).
public struct StandInGitHub: Sendable {
  /// Holds its output and gh's settings; gone when the stand-in is.
  public let folder: String
  public let ready: Ready

  /// What it says of itself when it listens.
  public struct Ready: Decodable, Sendable {
    /// Of the API, which also is the proxy that leads to it.
    public var port: Int
    /// Where tests steer it.
    public var control: String
    public var pid: Int32
    /// What `gh` needs to talk to it, and to nobody else.
    public var environment: [String: String]
  }

  /// What tests read of all that it knows.
  public struct World: Decodable, Sendable {
    /// By the number of their pull, the oldest first.
    public var comments: [String: [Comment]]
    /// The oldest first.
    public var checkRuns: [CheckRun]
    public var gates: [Gate]

    public func comments(of pull: Int) -> [Comment] { comments["\(pull)"] ?? [] }
  }

  public struct Comment: Decodable, Sendable, Equatable {
    public var id: Int
    public var body: String
    public var login: String { user.login }
    private var user: User

    private struct User: Decodable, Sendable, Equatable {
      var login: String
    }
  }

  public struct CheckRun: Decodable, Sendable, Equatable {
    public var id: Int
    public var name: String
    public var headSha: String
    public var status: String
    public var conclusion: String?
    public var externalId: String
    public var title: String? { output.title }
    public var summary: String? { output.summary }
    public var text: String? { output.text }
    private var output: Output

    private struct Output: Decodable, Sendable, Equatable {
      var title: String?
      var summary: String?
      var text: String?
    }
  }

  public struct Gate: Decodable, Sendable {
    public var count: Int
    public var arrived: Int
    /// `full` if all arrived in time, `late` if not; nil while it holds.
    public var opened: String?
  }

  /// One request that it got.
  public struct LoggedRequest: Decodable, Sendable {
    public var time: String
    public var method: String
    public var path: String
    public var query: [String: String]
    /// -1: cut off; 0: under way.
    public var status: Int
    public var body: String
  }

  /// Has a stand-in for the length of `body`. It ends on return and throw, and also when this process is killed: it reads a
  /// pipe that only this process writes.
  public static func with<Result>(_ body: (StandInGitHub) async throws -> Result) async throws -> Result {
    try await withTemporaryFolder { folder in
      let process = try StandInProcess("StandInGitHub", folder: folder)
      defer { process.end() }
      let stand = StandInGitHub(folder: folder, ready: try await process.ready(Ready.self))
      return try await body(stand)
    }
  }

  public func world() throws -> World { try decoded("/world") }

  public func requests() throws -> [LoggedRequest] { try decoded("/requests") }

  public func forgetRequests() throws { _ = try control("DELETE", "/requests") }

  /// Sets all that is given, under the names that the control address takes.
  public func set(_ world: some Encodable) throws { try set(json: JSONEncoder().encode(world)) }

  public func set(json: Data) throws { _ = try control("POST", "/world", json) }

  public func set(json: String) throws { try set(json: Data(json.utf8)) }

  /// Adds a list of faults after those that are there.
  public func faults(_ json: String) throws { _ = try control("POST", "/faults", Data(json.utf8)) }

  public func endFaults() throws { _ = try control("DELETE", "/faults") }

  /// Holds the next `count` requests that match until all have arrived, for 10 seconds at most. A GET's answer is made
  /// before it is held; anything else is done after.
  /// - Parameter path: A regular expression that matches anywhere.
  public func gate(_ path: String, method: String = "GET", count: Int = 2) throws {
    struct Body: Encodable {
      var path: String, method: String, count: Int
    }
    _ = try control("POST", "/gate", JSONEncoder().encode(Body(path: path, method: method, count: count)))
  }

  /// Any other request to the control address, with any JSON.
  public func control(_ method: String, _ path: String, _ body: Data = Data()) throws -> Data {
    guard let port = URL(string: ready.control)?.port else {
      throw LoopbackHTTP.Failure(description: "no port in \(ready.control)")
    }
    return try LoopbackHTTP.send(method, path, port: port, body: body)
  }

  private func decoded<Value: Decodable>(_ path: String) throws -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Value.self, from: control("GET", path))
  }
}
