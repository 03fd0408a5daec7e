import Shared

/// How a command that measured ends.
enum Gate {
  /// Done when everything planned has a result or a stated reason, partial when something has none; what failed
  /// altogether ends as its problem says, and as a failure of the machine when it left no last word.
  static func exitStatus(_ record: JobRecord, complete: Bool = true) -> ExitStatus {
    switch record.finished?.outcome {
    case .done: complete ? .done : .partial
    case .partial: .partial
    case .failed: record.finished?.problem?.exitStatus.ofFailure ?? .infrastructure
    case .cancelled: .cancelled
    case nil: .infrastructure
    }
  }
}

extension ExitStatus {
  /// A job that failed never ends in success, whatever its problem claims.
  fileprivate var ofFailure: ExitStatus { self == .done ? .infrastructure : self }
}
