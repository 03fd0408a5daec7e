import Shared

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
      : "bring this release's agent there once, with a key that may start a shell: cf-bench doctor --machine …"
  }
  var exitStatus: ExitStatus { .infrastructure }
}
