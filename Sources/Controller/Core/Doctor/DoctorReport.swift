import Foundation
import Shared

/// What `doctor` found, here and on the benchmark host.
struct DoctorReport: Codable, Equatable, Sendable {
  var schema = 1
  var machine: String
  var checks: [DoctorCheck]

  var status: ExitStatus { checks.contains { $0.status == .failed } ? .infrastructure : .done }

  /// A line a check, and the fix below it when there is one.
  func words(colour: Bool) -> String {
    let width = checks.map(\.id.count).max() ?? 0
    let lines = checks.flatMap { check in
      let name = check.id + String(repeating: " ", count: width - check.id.count)
      let detail = check.detail.split(whereSeparator: \.isNewline)
      let first = "\(mark(check.status, colour: colour))  \(name)  \(detail.first ?? "")"
      let indent = String(repeating: " ", count: width + 10)
      let more = detail.dropFirst().map { indent + $0 }
      let fix = (check.fix ?? "").split(whereSeparator: \.isNewline).enumerated().map { number, line in
        indent + (number == 0 ? "fix: " : "     ") + line
      }
      return [first] + more + fix
    }
    return (lines + ["", verdict]).joined(separator: "\n")
  }

  private var verdict: String {
    func count(_ status: DoctorCheck.Status) -> Int { checks.count { $0.status == status } }
    let (failed, warned, skipped) = (count(.failed), count(.warning), count(.skipped))
    let unseen = skipped > 0 ? "; \(skipped) could not be checked" : ""
    guard failed == 0 else {
      let other = machine == "azure" ? " (without Azure: --machine local)" : ""
      return "\(failed) of \(checks.count) checks failed\(unseen): fix them before measuring on \(machine)\(other)"
    }
    return "ready to measure on \(machine)" + (warned > 0 ? ", with \(warned) warning\(warned == 1 ? "" : "s")" : "")
      + unseen
  }

  private func mark(_ status: DoctorCheck.Status, colour: Bool) -> String {
    let (text, code) =
      switch status {
      case .ok: ("ok    ", "32")
      case .warning: ("warn  ", "33")
      case .failed: ("FAILED", "31")
      case .skipped: ("skip  ", "36")
      }
    return colour ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}
