/// One knob of the machine that a job wanted turned, and what came of it. Said for each knob, turned or not.
public struct TuningReport: Codable, Hashable, Sendable {
  public enum Knob: String, Codable, CaseIterable, Sendable {
    /// Whether the processor may run above its nominal frequency.
    case turbo
    /// How the kernel picks the processor's frequency.
    case governor
    /// `kernel.randomize_va_space`.
    case addressRandomisation
    /// The CPUs on which the job's processes may run.
    case affinity
    /// The nice value of the job's processes: -20 goes first, 19 last.
    case priority
  }

  public enum Outcome: String, Codable, Sendable {
    /// Read back after the change, it stands as wanted.
    case changed
    /// It stood as wanted; nothing was changed.
    case alreadySo
    case notPermitted
    /// The machine does not have this knob or hides it, as virtual machines often do.
    case notVisible
    /// The change was refused, or made no difference.
    case didNotTake
  }

  public var knob: Knob
  /// Several values, where CPUs differ, are separated by `, `; `nil` when not visible.
  public var before: String?
  public var wanted: String
  /// Read back after the change; `nil` when not visible.
  public var after: String?
  public var outcome: Outcome
  /// Why it was not turned, as far as known.
  public var detail: String?

  public init(
    knob: Knob, before: String?, wanted: String, after: String?, outcome: Outcome, detail: String? = nil
  ) {
    self.knob = knob
    self.before = before
    self.wanted = wanted
    self.after = after
    self.outcome = outcome
    self.detail = detail
  }
}
