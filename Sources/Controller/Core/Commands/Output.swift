import Dispatch
import Foundation
import Shared
import Synchronization
import SystemPackage

/// Masks what this program's environment holds of secrets, and what looks like one, in everything it prints or writes.
enum Masking {
  static let redactor = Redactor(SecretNames.values(in: ProcessInfo.processInfo.environment))
}

/// Words for a person, in order, written by a thread of their own: a terminal that was stopped (Ctrl-S) or a reader that is late
/// holds nobody up. What can't be written is dropped: there is nobody left to tell.
final class LiveText: Sendable {
  private struct Waiting {
    var text = ""
    /// Replaced by whatever comes next.
    var frame = ""
    var isScheduled = false
  }
  private let stream: @Sendable ([UInt8]) throws -> Void
  private let lane = DispatchQueue(label: "cf-bench.live-text")
  private let waiting = Mutex(Waiting())
  /// What waits longer than this, in bytes, is days of a stopped terminal.
  private static let limit = 1 << 20

  init(stream: @escaping @Sendable ([UInt8]) throws -> Void) { self.stream = stream }

  func write(_ text: String) {
    queue {
      $0.frame = ""
      if $0.text.utf8.count < Self.limit { $0.text += text }
    }
  }

  /// A drawing that begins by erasing the one before it; one that was not shown yet is dropped in its favour.
  func draw(_ frame: String) { queue { $0.frame = frame } }

  /// Waits until everything is written.
  func flush() { lane.sync {} }

  private func queue(_ change: (inout Waiting) -> Void) {
    let isFirst = waiting.withLock { waiting in
      change(&waiting)
      defer { waiting.isScheduled = true }
      return !waiting.isScheduled
    }
    guard isFirst else { return }
    lane.async { [self] in
      let text = waiting.withLock { waiting in
        defer { waiting = Waiting() }
        return waiting.text + waiting.frame
      }
      try? stream(Array(Masking.redactor.redacted(text).utf8))  // see above
    }
  }
}

/// Progress, remarks and errors.
enum StandardError {
  static let live = LiveText { try StandardStream.error.write($0) }
  static func write(_ text: String) { live.write(text) }
}

/// Results go here and nowhere else.
/// - Throws: ``OutputFailure``
enum StandardOutput {
  static func write(_ text: String) throws(OutputFailure) {
    try write(raw: Masking.redactor.redacted(text.hasSuffix("\n") ? text : text + "\n"))
  }

  /// Unmasked. What was said before on standard error may go to the same terminal, and stands before it there.
  static func write(raw text: String) throws(OutputFailure) {
    StandardError.live.flush()
    try StandardStream.output.write(text)
  }

  static func write(json value: some Encodable) throws {
    let line = Masking.redactor.redacted(line: Array(try JSONEncoder.pretty.encode(value)))
    try write(raw: String(decoding: line, as: UTF8.self) + "\n")
  }
}

extension StoredReport {
  /// Prints the report.
  /// - Parameter folder: where the results lie.
  func tell(in folder: FilePath, as output: Output) throws {
    switch self {
    case .comparison(let comparison, _): try output.tell(comparison.document, table(style: .ofOutput))
    case .run(let side, _):
      try output.tell(
        RunDocument(
          revision: side.label, folder: folder.string, startup: side.startup, micro: side.micro,
          optimize: side.optimize, memory: side.memory, cost: side.cost), table(style: .ofOutput))
    }
  }
}

/// What `run --json` prints: the documents of one side.
struct RunDocument: Encodable {
  var schema = 1
  var revision: String
  /// Where they lie, with what no JSON holds beside them.
  var folder: String
  var startup: StartupDocument?
  var micro: MicroDocument?
  var optimize: OptimizeDocument?
  var memory: MemoryDocument?
  /// What the machine cost; `nil` for one that was not rented for it.
  var cost: RunCost?
}
