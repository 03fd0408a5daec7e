import SSH
import Shared

/// A line of the journal that is not the one that follows on this disk: damaged on its way, or of another job.
struct EventMismatch: UserFacingError {
  var job: JobID
  /// The number that was due.
  var expected: Int
  /// What the file of events had to say.
  var reason: String

  /// How many times in a row the benchmark host is asked again for the same event.
  static let tries = 3

  var what: String { "event \(expected) of the job \(job) does not fit those before it" }
  var why: String? { reason }
  var fix: String {
    "follow it into a new folder: 'cf-bench attach \(job) --results FOLDER'; if it says the same, measure again"
  }
  var exitStatus: ExitStatus { .infrastructure }
}

/// The connection did not come back in time; the job may well go on.
struct ConnectionLost: UserFacingError {
  var job: JobID
  var machine: String
  /// Flags that lead there, such as `--machine azure`.
  var flags: String
  var limit: Duration
  /// Whether the benchmark host has said that it has the job.
  var isAccepted: Bool
  /// What the last try ended with.
  var last: Problem

  var what: String {
    "connection to \(machine) lost for \(limit.words)" + (isAccepted ? "; the job is still running there" : "")
  }
  var why: String? { last.whatAndWhy }
  var fix: String {
    let look =
      isAccepted
      ? "run: cf-bench attach \(job) \(flags)" : "'cf-bench jobs \(flags)' shows whether the job \(job) is there"
    return "\(last.fix)\n\(look)"
  }
  var exitStatus: ExitStatus { .infrastructure }
}

/// A cancelled job that could not be told so, or that did not say that it has ended.
struct CancelUnsure: UserFacingError {
  var job: JobID
  var machine: String
  var flags: String
  /// Whether the benchmark host has said that it ends the job.
  var isHeard: Bool
  /// What the last try ended with.
  var last: Problem
  var exitStatus = ExitStatus.cancelled

  var what: String {
    isHeard
      ? "the job \(job) on \(machine) was told to end, and has not confirmed it yet"
      : "the job \(job) on \(machine) could not be told to end"
  }
  var why: String? { last.whatAndWhy }
  var fix: String {
    let look = isHeard ? "run: cf-bench jobs \(flags)" : "run: cf-bench cancel \(job) \(flags)"
    return last.fix.isEmpty ? look : "\(last.fix)\n\(look)"
  }
}

extension Problem {
  /// What another error says of this one: in one sentence, with libssh2's own words behind the colon.
  var whatAndWhy: String { why.map { "\(what): \($0)" } ?? what }

  /// What ended a try to reach the benchmark host.
  init(ofTry error: any Error) {
    if let error = error as? ConnectionEnded, let why = error.why {
      self.init(what: why, fix: error.fix, exitStatus: .infrastructure)
    } else if let error = error as? any UserFacingError {
      self = error.problem
    } else {
      self.init(what: SystemErrorText.describe(error), fix: "", exitStatus: .infrastructure)
    }
  }
}

/// What an error on the way to a job means for somebody who wants to go on with it.
enum ConnectionFault: Equatable, Sendable {
  /// The connection was there and broke, fell silent, or brought a damaged line.
  case broke
  /// Nobody answers there for now: no route, no address, nobody listening, a host that is still coming up.
  case unreachable
  /// Another try would end in the same way.
  case permanent

  init(_ error: any Error) {
    self =
      switch error {
      case let error as SSHError: error.connectionFault
      case let error as StartRefusal: error.exit.isConnectionFault ? .broke : .permanent
      case let error as WireError: if case .protocolMismatch = error { .permanent } else { .broke }
      case is ConnectionEnded, is LimitPassed, is EventMismatch: .broke
      default: .permanent
      }
  }
}

extension SSHError {
  fileprivate var connectionFault: ConnectionFault {
    switch cause {
    case .lost, .silent, .closed, .inputClosed, .library, .commandTooSlow: .broke
    case .system: step == .connect || step == .resolve ? .unreachable : .broke
    case .noAddress, .limitPassed, .notSSH, .agent(.silent), .agent(.broken): .unreachable
    case .noWayIn(let reasons): reasons.map(\.connectionFault).first { $0 != .permanent } ?? .permanent
    default: .permanent
    }
  }
}

extension SSHExit {
  /// The command did not end by itself: the connection broke, or a signal from outside ended it.
  fileprivate var isConnectionFault: Bool {
    switch self {
    case .status: false
    case .signal, .lost: true
    }
  }
}

/// The benchmark host is of another kind than the agent that this controller brings along.
struct ForeignMachine: UserFacingError {
  var place: String
  var theirs: String
  var ours: String

  /// `nil` when the agent may run there, as far as one can tell before it was tried.
  init?(_ agent: AgentBinary, system: String, machine: String, at place: String) {
    let theirs = Self.usual(machine)
    guard let ours = agent.architecture, !machine.isEmpty, system != "Linux" || theirs != ours else { return nil }
    self.place = place
    self.theirs = system == "Linux" ? theirs : "\(system) on \(theirs)"
    self.ours = system == "Linux" ? ours : "Linux on \(ours)"
  }

  /// Kernels have several names for one processor (uname(1)).
  private static func usual(_ machine: String) -> String {
    switch machine {
    case "arm64": "aarch64"
    case "amd64": "x86_64"
    default: machine
    }
  }

  var what: String { "the agent can't be started on \(place)" }
  var why: String? {
    "its processor or system is another one than the agent was built for: it is \(theirs), the agent is for \(ours)"
  }
  var fix: String { "build cf-bench on a machine of that kind and name its agent with CF_BENCH_AGENT=FILE" }
  var exitStatus: ExitStatus { .infrastructure }
}

/// An agent of another protocol.
struct ForeignAgent: UserFacingError {
  var machine: String
  var protocolVersion: Int
  var release: String

  init(_ hello: HelloReply, machine: String) {
    self.machine = machine
    protocolVersion = hello.protocolVersion
    release = String(hello.agentVersion.prefix(40))
  }

  private var isNewer: Bool { protocolVersion > Version.wireProtocol }
  var what: String {
    "the agent on \(machine) speaks protocol \(protocolVersion), this cf-bench speaks \(Version.wireProtocol)"
  }
  var why: String? {
    "it is of release \(release), \(isNewer ? "newer" : "older") than this cf-bench (\(Version.current))"
  }
  var fix: String {
    isNewer
      ? "update cf-bench here to release \(release) or newer"
      : "install this release's agent there once, with a key that may start a shell: cf-bench doctor --machine …"
  }
  var exitStatus: ExitStatus { .infrastructure }
}
