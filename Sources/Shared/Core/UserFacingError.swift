/// An error that a person may meet: what happened, why as far as known, and what to do about it.
///
/// Conforming types hold values (host, path, limit), not sentences; the three sentences are made here, in one place,
/// and printed in one place (``Problem/rendered``).
public protocol UserFacingError: Error, Sendable {
  /// What happened, one sentence without a full stop, in the reader's words.
  var what: String { get }
  /// Why, as far as we know; `nil` when nothing is known beyond ``what``.
  var why: String? { get }
  /// What to do: a command or a sentence.
  var fix: String { get }
  /// The exit status of the process that ends with this error.
  var exitStatus: ExitStatus { get }
}

extension UserFacingError {
  /// The same error as plain values, for the wire, for `--json`, and for printing.
  public var problem: Problem { Problem(what: what, why: why, fix: fix, exitStatus: exitStatus) }
}

/// A ``UserFacingError`` as a value: what travels in frames and stands in results.
public struct Problem: UserFacingError, Codable, Equatable {
  public var what: String
  public var why: String?
  public var fix: String
  public var exitStatus: ExitStatus

  public init(what: String, why: String? = nil, fix: String, exitStatus: ExitStatus) {
    self.what = what
    self.why = why
    self.fix = fix
    self.exitStatus = exitStatus
  }

  /// Three lines for a terminal: `error:`, `why:`, `fix:`; the second only when it is known.
  public var rendered: String {
    var lines = ["error: \(what)"]
    if let why, !why.isEmpty { lines.append("  why: \(indented(why))") }
    lines.append("  fix: \(indented(fix))")
    return lines.joined(separator: "\n")
  }

  private func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: true).joined(separator: "\n       ")
  }
}
