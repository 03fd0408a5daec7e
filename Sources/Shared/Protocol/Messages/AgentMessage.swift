import FoundationEssentials

/// What comes down and is no part of a journal: answers of `cf-bench-agent serve`. Schema: `docs/schemas/message.schema.json`.
public enum AgentMessage: Equatable, Sendable {
  case hello(HelloReply)
  case accepted(Accepted)
  case attached(Attached)
  /// Nothing more will come of this job.
  case ended(Ended)
  case cancelled(Cancelled)
  case uploads(UploadsReply)
  case doctor(DoctorReply)
  case occupancy(Occupancy)
  case jobs(JobsReply)
  case mayStop(MayStopReply)
  /// A file that was sent piece by piece is here, whole and checked.
  case received(Received)
  /// The last message of this agent: the other one's hello answers the next request.
  case upgrading(Upgrading)
  case pong(Ping)
  /// A request that can't be carried out; the session goes on.
  case refused(Refused)
  /// A numbered event of the journal, as its bytes; ``NumberedEvent`` reads it.
  case event(number: Int, line: [UInt8])
  /// Of a newer agent: passed over.
  case unknown(type: String)
}

public struct HelloReply: Codable, Equatable, Sendable {
  public var protocolVersion: Int
  public var agentVersion: String
  /// SHA-256 under which this agent's binary was installed; `nil` when it was started by hand.
  public var sha256: String?
  /// The folder that holds everything of the agent's.
  public var home: String
  public var user: String
  public var host: String
  /// As `uname -s` and `uname -m` say.
  public var system: String
  public var architecture: String
  /// The C library that this agent runs with, such as `glibc 2.39`.
  public var libc: String?
  /// What this agent can do beyond the protocol's first release; see ``AgentFeature``.
  public var features: [String]?
  /// Which of ``HostTool`` are there; `nil` for an agent that does not say. Who says so also takes ``ReceiveRequest/Kind/uv``.
  public var tools: [String]?

  public init(
    protocolVersion: Int = Version.wireProtocol, agentVersion: String = Version.current, sha256: String?, home: String,
    user: String, host: String, system: String, architecture: String, libc: String? = nil, features: [String]? = nil,
    tools: [String]? = nil
  ) {
    self.tools = tools
    self.libc = libc
    self.features = features
    self.protocolVersion = protocolVersion
    self.agentVersion = agentVersion
    self.sha256 = sha256
    self.home = home
    self.user = user
    self.host = host
    self.system = system
    self.architecture = architecture
  }
}

public struct Accepted: Codable, Equatable, Sendable {
  public var job: JobID
  /// The job was here already: nothing was started.
  public var alreadyKnown: Bool
  /// Jobs that waited and were ended in favour of this one.
  public var superseded: [JobID]?
  public init(job: JobID, alreadyKnown: Bool, superseded: [JobID]? = nil) {
    self.job = job
    self.alreadyKnown = alreadyKnown
    self.superseded = superseded
  }
}

public struct Attached: Codable, Equatable, Sendable {
  public var job: JobID
  /// The number after which events follow. Less than was asked for where the benchmark host lost its newest lines in a crash:
  /// what the controller has after this number is void.
  public var after: Int
  public init(job: JobID, after: Int) {
    self.job = job
    self.after = after
  }
}

public struct Ended: Codable, Equatable, Sendable {
  public enum Reason: String, Codable, CaseIterable, Sendable {
    /// The journal's last event says how the job ended.
    case finished
    /// The runner is gone without a last word: killed, or the machine went down.
    case runnerLost
  }
  public var job: JobID
  public var reason: Reason
  /// The number of the journal's last event.
  public var last: Int
  /// The end of the runner's own log, when it was lost.
  public var log: String?
  public init(job: JobID, reason: Reason, last: Int, log: String? = nil) {
    self.job = job
    self.reason = reason
    self.last = last
    self.log = log
  }
}

public struct Cancelled: Codable, Equatable, Sendable {
  public var job: JobID
  /// Whether there was still a runner to end.
  public var wasRunning: Bool
  public init(job: JobID, wasRunning: Bool) {
    self.job = job
    self.wasRunning = wasRunning
  }
}

public struct UploadsReply: Codable, Equatable, Sendable {
  public var missing: [UploadID]
  /// Where the missing ones belong: the file's name is the SHA-256.
  public var folder: String
  public init(missing: [UploadID], folder: String) {
    self.missing = missing
    self.folder = folder
  }
}

public struct DoctorReply: Codable, Equatable, Sendable {
  public var checks: [DoctorCheck]
  public init(checks: [DoctorCheck]) { self.checks = checks }
}

/// One thing that must be right before anything can be measured.
public struct DoctorCheck: Codable, Equatable, Sendable {
  public enum Status: String, Codable, Sendable {
    case ok, warning, failed
    /// Nobody could look, because something else is missing; says nothing for or against.
    case skipped
  }
  /// A stable name, such as `far.hyperfine`.
  public var id: String
  public var status: Status
  /// What was found: a version, a path, a number.
  public var detail: String
  /// What mends it, when it is not ok.
  public var fix: String?
  public init(id: String, status: Status, detail: String, fix: String? = nil) {
    self.id = id
    self.status = status
    self.detail = detail
    self.fix = fix
  }
}

public struct Refused: Codable, Equatable, Sendable {
  /// The type of the request that was refused.
  public var request: String
  public var problem: Problem
  public init(request: String, problem: Problem) {
    self.request = request
    self.problem = problem
  }
}

extension AgentMessage {
  private enum Kind: String {
    case hello, accepted, attached, ended, cancelled, uploads, doctor, occupancy, jobs, mayStop, received, upgrading
    case pong, refused
  }

  /// The message as one line, newline included. An event is sent as the journal has it.
  public func line() throws(WireError) -> [UInt8] {
    switch self {
    case .hello(let body): try WireLine.message(type: Kind.hello.rawValue, body: body)
    case .accepted(let body): try WireLine.message(type: Kind.accepted.rawValue, body: body)
    case .attached(let body): try WireLine.message(type: Kind.attached.rawValue, body: body)
    case .ended(let body): try WireLine.message(type: Kind.ended.rawValue, body: body)
    case .cancelled(let body): try WireLine.message(type: Kind.cancelled.rawValue, body: body)
    case .uploads(let body): try WireLine.message(type: Kind.uploads.rawValue, body: body)
    case .doctor(let body): try WireLine.message(type: Kind.doctor.rawValue, body: body)
    case .occupancy(let body): try WireLine.message(type: Kind.occupancy.rawValue, body: body)
    case .jobs(let body): try WireLine.message(type: Kind.jobs.rawValue, body: body)
    case .mayStop(let body): try WireLine.message(type: Kind.mayStop.rawValue, body: body)
    case .received(let body): try WireLine.message(type: Kind.received.rawValue, body: body)
    case .upgrading(let body): try WireLine.message(type: Kind.upgrading.rawValue, body: body)
    case .pong(let body): try WireLine.message(type: Kind.pong.rawValue, body: body)
    case .refused(let body): try WireLine.message(type: Kind.refused.rawValue, body: body)
    case .event(_, let line): line + [UInt8(ascii: "\n")]
    case .unknown(let type): throw .unencodable(type: type, detail: "an unknown message can't be sent")
    }
  }

  /// Reads one line without its newline. Events are recognised by their first bytes and not decoded.
  /// - Throws: ``WireError``
  public init(line: UnsafeRawBufferPointer) throws(WireError) {
    if let number = NumberedEvent.number(ofLine: line) {
      self = .event(number: number, line: Array(line))
      return
    }
    let data = Data(line)
    let decoder = JSONDecoder()
    func body<Content: Decodable>(_: Content.Type) throws -> Content {
      try decoder.decode(Body<Content>.self, from: data).body
    }
    do {
      let envelope = try decoder.decode(Envelope.self, from: data)
      self =
        switch Kind(rawValue: envelope.type) {
        case .hello: .hello(try body(HelloReply.self))
        case .accepted: .accepted(try body(Accepted.self))
        case .attached: .attached(try body(Attached.self))
        case .ended: .ended(try body(Ended.self))
        case .cancelled: .cancelled(try body(Cancelled.self))
        case .uploads: .uploads(try body(UploadsReply.self))
        case .doctor: .doctor(try body(DoctorReply.self))
        case .occupancy: .occupancy(try body(Occupancy.self))
        case .jobs: .jobs(try body(JobsReply.self))
        case .mayStop: .mayStop(try body(MayStopReply.self))
        case .received: .received(try body(Received.self))
        case .upgrading: .upgrading(try body(Upgrading.self))
        case .pong: .pong(try body(Ping.self))
        case .refused: .refused(try body(Refused.self))
        case nil:
          if let number = envelope.seq {
            .event(number: number, line: Array(line))
          } else {
            .unknown(type: envelope.type)
          }
        }
    } catch {
      throw .notOurs(excerpt: WireError.excerpt(of: line), detail: DecodingErrorText.describe(error))
    }
  }
}

/// What an agent can do beyond the protocol's first release. A controller asks for none of it where the hello does not name it.
public enum AgentFeature: String, CaseIterable, Sendable {
  /// Takes files piece by piece in this session: `receive`, `piece`.
  case receive
  /// Goes on as another agent: `upgrade`.
  case upgrade
  /// Lists its jobs: `jobs`.
  case jobs
  /// Answers under its lock whether the machine may be stopped: `mayStop`.
  case mayStop
  /// Continues jobs whose runner died, and tells a controller that is ahead of its journal where to go on.
  case resume
}

extension HelloReply {
  public func has(_ feature: AgentFeature) -> Bool { features?.contains(feature.rawValue) ?? false }
}
