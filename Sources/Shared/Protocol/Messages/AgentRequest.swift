import FoundationEssentials

/// What goes up: from the controller to `cf-bench-agent serve`. Schema: `docs/schemas/request.schema.json`.
public enum AgentRequest: Equatable, Sendable {
  /// The first line of a session.
  case hello(HelloRequest)
  /// Start a job, unless one of that name is known already.
  case submit(SubmitRequest)
  /// Send everything of a job after a number, then follow it.
  case attach(AttachRequest)
  /// End a job: its runner and all that it started.
  case cancel(CancelRequest)
  /// Which of these uploads are not here yet?
  case uploads(UploadsRequest)
  /// What is missing at this end?
  case doctor(DoctorRequest)
  /// Whose jobs run or wait on this host?
  case occupancy
  /// What jobs are kept at this end?
  case jobs
  /// May the machine be switched off, as far as this end knows?
  case mayStop(MayStopRequest)
  /// Take a file over this very session: its pieces follow.
  case receive(ReceiveRequest)
  /// The next bytes of the file that is being received.
  case piece(Piece)
  /// Go on as another agent, which was received before.
  case upgrade(UpgradeRequest)
  /// Answer at once, with the same number.
  case ping(Ping)
  /// Of a newer controller: answered with a refusal.
  case unknown(type: String)
}

public struct HelloRequest: Codable, Equatable, Sendable {
  public var protocolVersion: Int
  public var controllerVersion: String
  public init(protocolVersion: Int = Version.wireProtocol, controllerVersion: String = Version.current) {
    self.protocolVersion = protocolVersion
    self.controllerVersion = controllerVersion
  }
}

public struct SubmitRequest: Codable, Equatable, Sendable {
  public var manifest: JobManifest
  /// Values that must stand in no file, by the name of an environment variable: they reach the job's runner in its
  /// environment, for the layers that ask for them, and are kept nowhere. Only names that the agent knows are taken.
  public var secrets: [String: String]?
  /// Whether jobs of the same ``JobManifest/branch`` that still wait are ended in favour of this one.
  public var supersede: Bool?
  public init(manifest: JobManifest, secrets: [String: String]? = nil, supersede: Bool? = nil) {
    self.manifest = manifest
    self.secrets = secrets
    self.supersede = supersede
  }
}

public struct AttachRequest: Codable, Equatable, Sendable {
  public var job: JobID
  /// The last number that the controller has on its disk; 0 for everything.
  public var after: Int
  /// The hash of that event's line, where it has one: a benchmark host that lost its newest lines to a crash, and wrote others
  /// since, knows by it that the controller's are not its own.
  public var hash: String?
  /// As in ``SubmitRequest/secrets``, for a runner that has to be started again.
  public var secrets: [String: String]?
  public init(job: JobID, after: Int, hash: String? = nil, secrets: [String: String]? = nil) {
    self.job = job
    self.after = after
    self.hash = hash
    self.secrets = secrets
  }
}

public struct CancelRequest: Codable, Equatable, Sendable {
  public var job: JobID
  public init(job: JobID) { self.job = job }
}

public struct UploadsRequest: Codable, Equatable, Sendable {
  public var uploads: [UploadID]
  public init(uploads: [UploadID]) { self.uploads = uploads }
}

public struct DoctorRequest: Codable, Equatable, Sendable {
  public var python: PythonPlan
  /// What jobs will fetch: a distribution from the package index. `nil` to leave that out.
  public var package: String?
  /// The address of a repository that jobs will fetch from.
  public var repository: String?
  public init(python: PythonPlan, package: String? = nil, repository: String? = nil) {
    self.python = python
    self.package = package
    self.repository = repository
  }
}

public struct Ping: Codable, Equatable, Sendable {
  public var number: Int
  public init(number: Int) { self.number = number }
}

extension AgentRequest {
  private enum Kind: String {
    case hello, submit, attach, cancel, uploads, doctor, occupancy, jobs, mayStop, receive, piece, upgrade, ping
  }

  /// The request as one line, newline included.
  public func line() throws(WireError) -> [UInt8] {
    switch self {
    case .hello(let body): try WireLine.message(type: Kind.hello.rawValue, body: body)
    case .submit(let body): try WireLine.message(type: Kind.submit.rawValue, body: body)
    case .attach(let body): try WireLine.message(type: Kind.attach.rawValue, body: body)
    case .cancel(let body): try WireLine.message(type: Kind.cancel.rawValue, body: body)
    case .uploads(let body): try WireLine.message(type: Kind.uploads.rawValue, body: body)
    case .doctor(let body): try WireLine.message(type: Kind.doctor.rawValue, body: body)
    case .occupancy: try WireLine.message(type: Kind.occupancy.rawValue, body: [String: String]())
    case .jobs: try WireLine.message(type: Kind.jobs.rawValue, body: [String: String]())
    case .mayStop(let body): try WireLine.message(type: Kind.mayStop.rawValue, body: body)
    case .receive(let body): try WireLine.message(type: Kind.receive.rawValue, body: body)
    case .piece(let body): try WireLine.message(type: Kind.piece.rawValue, body: body)
    case .upgrade(let body): try WireLine.message(type: Kind.upgrade.rawValue, body: body)
    case .ping(let body): try WireLine.message(type: Kind.ping.rawValue, body: body)
    case .unknown(let type): throw .unencodable(type: type, detail: "an unknown request can't be sent")
    }
  }

  /// Reads one line.
  /// - Throws: ``WireError/notOurs(excerpt:detail:)`` for what is no request at all.
  public init(line: [UInt8]) throws(WireError) {
    let data = Data(line)
    let decoder = JSONDecoder()
    func body<Content: Decodable>(_: Content.Type) throws -> Content {
      try decoder.decode(Body<Content>.self, from: data).body
    }
    do {
      let type = try decoder.decode(Envelope.self, from: data).type
      self =
        switch Kind(rawValue: type) {
        case .hello: .hello(try body(HelloRequest.self))
        case .submit: .submit(try body(SubmitRequest.self))
        case .attach: .attach(try body(AttachRequest.self))
        case .cancel: .cancel(try body(CancelRequest.self))
        case .uploads: .uploads(try body(UploadsRequest.self))
        case .doctor: .doctor(try body(DoctorRequest.self))
        case .occupancy: .occupancy
        case .jobs: .jobs
        case .mayStop: .mayStop(try body(MayStopRequest.self))
        case .receive: .receive(try body(ReceiveRequest.self))
        case .piece: .piece(try body(Piece.self))
        case .upgrade: .upgrade(try body(UpgradeRequest.self))
        case .ping: .ping(try body(Ping.self))
        case nil: .unknown(type: type)
        }
    } catch {
      throw .notOurs(excerpt: WireError.excerpt(of: line), detail: DecodingErrorText.describe(error))
    }
  }
}
