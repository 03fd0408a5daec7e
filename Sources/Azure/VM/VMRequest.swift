import FoundationEssentials
import Shared

/// What a command wants of the VM, and for how long.
public struct VMRequest: Sendable {
  /// Names the lease, the rule and the intent.
  public var run: String
  public var owner: String
  public var kind: Lease.Kind
  /// When the lease ends, whatever happens.
  public var lease: Duration
  /// How long the VM stays on for this person afterwards; `nil` to give it back.
  public var keepRunning: Duration?

  public init(
    run: String, owner: String, kind: Lease.Kind = .run, lease: Duration = .zero, keepRunning: Duration? = nil
  ) {
    self.run = run
    self.owner = owner
    self.kind = kind
    self.lease = lease
    self.keepRunning = keepRunning
  }
}

/// What the VM's owner can tell it and be told by it: the parts of the scope that are not Azure's.
public struct MachineHooks: Sendable {
  /// Whether SSH answers at an address, with the right host key. Throws what can't get better by waiting.
  public var answers: @Sendable (_ address: String, _ view: VMView) async throws -> Bool
  /// Who else has jobs on the VM, in words; empty for nobody. Asked before it is stopped, within a few seconds.
  public var otherJobs: @Sendable (_ address: String, _ view: VMView) async throws -> [String]
  /// Throws when it must not be started, for what it would cost. Asked before anything is asked of Azure.
  public var mayStart: @Sendable (_ view: VMView) throws -> Void
  /// Says to the person what goes on.
  public var note: @Sendable (String) -> Void

  public init(
    answers: @escaping @Sendable (String, VMView) async throws -> Bool,
    otherJobs: @escaping @Sendable (String, VMView) async throws -> [String] = { _, _ in [] },
    mayStart: @escaping @Sendable (VMView) throws -> Void = { _ in },
    note: @escaping @Sendable (String) -> Void
  ) {
    self.answers = answers
    self.otherJobs = otherJobs
    self.mayStart = mayStart
    self.note = note
  }
}

/// A VM that is on and answers.
public struct AcquiredVM: Sendable {
  public var address: String
  public var view: VMView
  /// Whether it was on already.
  public var wasOn: Bool
  public var startedAt: Date
}

/// How having the VM ended.
public struct VMOutcome: Sendable, Equatable {
  public enum Outcome: Sendable, Equatable {
    /// Azure says deallocated.
    case deallocated
    /// Others want it: they, or its watchdog, stop it.
    case leftOn(String)
    /// Kept on as asked.
    case kept(until: Date)
    /// It was not there or not ours any more.
    case nothingToDo(String)
    /// An earlier command had stopped it and left something behind.
    case offBefore
  }
  public var outcome: Outcome
  /// Seconds between asking for the start and being rid of it.
  public var seconds: Double
  /// What stays behind though the VM is off, or others' matter.
  public var left: [Leftover] = []
}

/// Something of ours that could not be removed. It costs nothing, and every later command of this machine tries again.
public struct Leftover: Sendable, Equatable {
  /// `the firewall rule cf-bench-r1`.
  var thing: String
  var cause: AzureError
  /// Removes it.
  var line: String

  public var words: String {
    "\(thing) could not be removed: \(cause.what)\(cause.why.map { " (\($0.prefix { !$0.isNewline }))" } ?? ""). "
      + "The next cf-bench command tries again; by hand: \(line)"
  }
}

extension VMOutcome.Outcome {
  /// What the VM is now: `deallocated`, `left on for alice@laptop`.
  public var words: String {
    switch self {
    case .deallocated: "deallocated"
    case .leftOn(let others): "left on for \(others)"
    case .kept(let until): "kept on until \(TagMoment.text(until))"
    case .nothingToDo(let why): "not ours any more: \(why)"
    case .offBefore: "given back by an earlier command"
    }
  }
}
