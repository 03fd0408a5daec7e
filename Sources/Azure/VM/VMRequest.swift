import FoundationEssentials
import Shared

/// What a command wants of the VM: for how long, from where, and how long it may wait for it.
public struct VMRequest: Sendable {
  public var vm: AzureVM
  /// Names the lease, the rule and the intent.
  public var run: String
  public var owner: String
  public var kind: Lease.Kind
  /// When the lease ends, whatever happens.
  public var lease: Duration
  public var sshPort: Int
  public var source: SourceRange
  public var addressService: String
  /// From asking for the start until SSH answers.
  public var startLimit: Duration
  /// For how long deallocating is tried again.
  public var stopLimit: Duration
  /// How long the VM stays on for this person afterwards; `nil` to give it back.
  public var keepRunning: Duration?

  public init(
    vm: AzureVM, run: String, owner: String, kind: Lease.Kind = .run, lease: Duration, sshPort: Int = 22,
    source: SourceRange = .thisMachine, addressService: String, startLimit: Duration = .seconds(600),
    stopLimit: Duration = .seconds(900), keepRunning: Duration? = nil
  ) {
    self.vm = vm
    self.run = run
    self.owner = owner
    self.kind = kind
    self.lease = lease
    self.sshPort = sshPort
    self.source = source
    self.addressService = addressService
    self.startLimit = startLimit
    self.stopLimit = stopLimit
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
  }
  public var outcome: Outcome
  /// Seconds between asking for the start and being rid of it.
  public var seconds: Double
}

/// The VM could not be stopped.
public struct StopFailure: UserFacingError {
  public var vm: AzureVM
  public var cause: AzureError?
  public var limit: Duration

  public var what: String { "the VM \(vm) could not be stopped and may still be on: it costs money" }
  public var why: String? {
    (cause.map { "\($0.what)\($0.why.map { ": \($0)" } ?? "")" } ?? "Azure did not say that it is deallocated")
      + "\ntried for \(limit.words)"
  }
  public var fix: String {
    """
    cf-bench reap, or by hand: az vm deallocate --resource-group \(ShellWord.quoted(vm.group)) --name \(ShellWord.quoted(vm.name))
    Its own watchdog stops it too once it has been idle for a while.
    """
  }
  public var exitStatus: ExitStatus { .infrastructure }
}

extension VMOutcome.Outcome {
  /// What the VM is now: `deallocated`, `left on for alice@laptop`.
  public var words: String {
    switch self {
    case .deallocated: "deallocated"
    case .leftOn(let others): "left on for \(others)"
    case .kept(let until): "kept on until \(TagMoment.text(until))"
    case .nothingToDo(let why): "not ours any more: \(why)"
    }
  }
}
