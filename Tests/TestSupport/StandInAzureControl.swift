import Foundation

/// What tests ask of the stand-in, and what they read of it.
extension StandInAzure {
  /// A fault: which requests it concerns, and what becomes of them.
  public struct Fault: Encodable, Sendable {
    /// Regular expressions; the path's matches anywhere.
    public var method = ".*"
    public var path: String
    public var kind: Kind
    /// Of a `status` or `garbage` answer.
    public var status: Int?
    public var code: String?
    public var message: String?
    public var retryAfter: Int?
    /// How many requests it concerns; all if nil.
    public var times: Int?
    /// How many it lets pass before.
    public var skip: Int?
    /// How long it holds; of `delay` and `hang`, how long each takes.
    public var seconds: Double?
    /// Of `drop`: the request is done first.
    public var after: Bool?

    public enum Kind: String, Encodable, Sendable {
      case status, drop, delay, hang, garbage
      case asyncError = "async_error"
    }

    public init(_ kind: Kind, path: String) {
      self.kind = kind
      self.path = path
    }
  }

  public struct State: Decodable, Sendable {
    public var vms: [VM]
    /// Security rules of all groups.
    public var rules: [Resource]
    /// By id in lower case.
    public var resources: [String: Resource]

    public struct VM: Decodable, Sendable {
      public var name: String
      /// `deallocated`, `starting`, `running`, `deallocating`, `stopping` or `stopped`.
      public var power: String
      public var tags: [String: String]
      public var boots: Int
      /// Its disk: `home` is the bench user's CF_BENCH_HOME.
      public var folder: String
    }

    public struct Resource: Decodable, Sendable {
      public var id: String
      public var name: String
      public var type: String
    }
  }

  /// One request that it got.
  public struct LoggedRequest: Decodable, Sendable {
    public var time: String
    public var method: String
    public var path: String
    /// -1: dropped.
    public var status: Int
    /// `user`, or `vm NAME`.
    public var principal: String
  }

  public struct PowerChange: Decodable, Sendable {
    public var time: String
    public var vm: String
    public var power: String
    public var why: String
    /// `user`, `vm NAME`, `azure` or `test`.
    public var by: String
  }

  /// A VM as provisioning leaves it, switched off.
  public struct Provisioned: Decodable, Sendable {
    public var id: String
    public var hostKey: String
    public var address: String
    public var folder: String
  }

  public func fault(_ fault: Fault) throws { _ = try post("fault", fault) }

  /// Ends all faults.
  public func reset() throws { _ = try post("reset", [String: String]()) }

  public func provisioned(
    _ name: String = "cf-bench", group: String = "CF-BENCH-RG", publicKey: String? = nil, tags: [String: String] = [:],
    mayDeallocate: Bool = true
  ) throws -> Provisioned {
    struct Body: Encodable {
      var name: String, group: String, publicKey: String?, tags: [String: String], role: Bool
    }
    let body = Body(name: name, group: group, publicKey: publicKey, tags: tags, role: mayDeallocate)
    return try Self.decoder.decode(Provisioned.self, from: post("provisioned", body))
  }

  /// All that somebody may do besides their role assignments; `principal` is the signed-in one, or `vm NAME`.
  public func allow(_ actions: [String], to principal: String? = nil) throws {
    struct Body: Encodable { var actions: [String], principal: String? }
    _ = try post("role", Body(actions: actions, principal: principal))
  }

  /// Sets the power of a VM at once.
  public func setPower(_ power: String, of vm: String? = nil) throws {
    _ = try post("vm", ["name": vm, "power": power])
  }

  /// A failure that stands in the instance view only, as after a start that nobody waited for.
  public func setFailure(code: String, message: String) throws {
    _ = try post("vm", ["failure": ["code": code, "message": message]])
  }

  /// How the first boot of VMs to come goes, and which files it leaves.
  public func setGuest(seconds: Double, verdict: String, errors: [String] = [], files: [String: String] = [:]) throws {
    struct Body: Encodable {
      struct CloudInit: Encodable { var seconds: Double, verdict: String, errors: [String] }
      var cloudInit: CloudInit
      var files: [String: String]
    }
    let verdict = Body.CloudInit(seconds: seconds, verdict: verdict, errors: errors)
    _ = try post("guest", Body(cloudInit: verdict, files: files))
  }

  /// Changes an option of its command line, such as `start_seconds`.
  public func setOption(_ name: String, _ value: Double) throws { _ = try post("options", [name: value]) }

  /// Keeps the whole state, the VMs' disks too.
  public func save(_ name: String) throws { _ = try post("save", ["name": name]) }

  /// Ends faults and goes back; a VM that was on is on again, freshly booted.
  public func restore(_ name: String) throws { _ = try post("restore", ["name": name]) }

  /// Any other request to the control address, with any JSON.
  public func control(_ method: String, _ word: String, _ body: Data = Data()) throws -> Data {
    guard let address = URL(string: ready.control), let port = address.port else {
      throw LoopbackHTTP.Failure(description: "no port in \(ready.control)")
    }
    return try LoopbackHTTP.send(method, "/_fake/\(word)", port: port, body: body)
  }

  public func state() throws -> State { try Self.decoder.decode(State.self, from: control("GET", "state")) }

  /// The power of a VM; nil if there is none.
  public func power(of vm: String = "cf-bench") throws -> String? {
    try state().vms.first { $0.name == vm }?.power
  }

  public func requests() throws -> [LoggedRequest] { try lines("log.ndjson") }

  public func powerChanges() throws -> [PowerChange] { try lines("events.ndjson") }

  /// Waits until a VM has this power, and every process of its own is there or gone accordingly.
  public func wait(until power: String, of vm: String = "cf-bench", limit: Duration = .seconds(60)) async throws {
    let deadline = ContinuousClock.now + limit
    while try self.power(of: vm) != power {
      guard ContinuousClock.now < deadline else {
        throw LoopbackHTTP.Failure(description: "\(vm) is not \(power) after \(limit): \(try powerChanges())")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  private func post(_ word: String, _ body: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .custom { path in
      // Keys of dictionaries (tags, paths of files) are no names of ours.
      let isOurs = path.count == 1 || path[0].stringValue == "cloudInit"
      return isOurs ? Underscored(path[path.count - 1].stringValue) : path[path.count - 1]
    }
    return try control("POST", word, encoder.encode(body))
  }

  private func lines<Line: Decodable>(_ name: String) throws -> [Line] {
    let file = folder + "/" + name
    guard FileManager.default.fileExists(atPath: file) else { return [] }
    let data = try Data(contentsOf: URL(filePath: file))
    // What is behind the last newline is still being written.
    let whole = data.prefix(upTo: data.lastIndex(of: 10) ?? data.startIndex)
    return try whole.split(separator: 10).map { try JSONDecoder().decode(Line.self, from: Data($0)) }
  }

  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .custom { path in
      path.count == 1 ? FieldName(path[0].stringValue) : path[path.count - 1]
    }
    return decoder
  }

  /// A field `retryAfter` as `retry_after`.
  private struct Underscored: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) {
      stringValue = name.map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined()
    }

    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
  }
}
