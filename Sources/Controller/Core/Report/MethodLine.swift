import Shared

/// The machine that measured, and how the verdicts were reached.
enum MethodLine {
  static func markdown(_ report: ComparisonReport) -> String {
    let document = report.document
    let host = document.host.map { " on \(Markdown.text(machine($0)))" } ?? ""
    var sentences = [
      measured(report, host: host),
      "A change counts from \(Markdown.text(VerdictFormatter.deltas(document))). Identical code is called different, "
        + "anywhere in the table, in at most \(VerdictFormatter.percent(document.method.alpha)) of such runs; each “no difference” is "
        + "wrong in at most \(VerdictFormatter.percent(document.method.alpha)).",
    ]
    sentences += document.shownControls.map { "Control \(Comment.name($0, report)): \(VerdictFormatter.plain($0))." }
    sentences += SpendingFormatter.sentences(document).map { Markdown.text($0) }
    return sentences.joined(separator: " ")
  }

  /// `bench-1 (AMD EPYC 7763, 4 CPUs, 15.6 GiB, Debian GNU/Linux 12, Linux 6.1.0 x86_64)`.
  static func machine(_ host: HostInfo) -> String {
    let facts = [
      host.cpuModel, host.cpuCount == 1 ? "1 CPU" : "\(host.cpuCount) CPUs", Numbers.bytes(host.memoryBytes),
      host.operatingSystem, host.kernel,
    ]
    return "\(host.hostname) (\(facts.filter { !$0.isEmpty }.joined(separator: ", ")))"
  }

  /// What an analysis of samples from elsewhere does not know, it does not say.
  private static func measured(_ report: ComparisonReport, host: String) -> String {
    let document = report.document
    if document.metrics.contains(where: { $0.unpaired == true }) { return "From samples without blocks\(host)." }
    if document.seconds == 0, document.host == nil { return "From \(blocks(document)) that were there already." }
    return "Measured in \(blocks(document)), both sides interleaved\(host), with \(Markdown.text(pythons(report))), "
      + "in \(Numbers.elapsed(document.seconds))."
  }

  private static func blocks(_ document: ComparisonDocument) -> String {
    let counts = document.metrics.map(\.blocks)
    guard let least = counts.min(), let most = counts.max() else { return "blocks" }
    return least == most ? (most == 1 ? "1 block" : "\(most) blocks") : "\(least) to \(most) blocks"
  }

  private static func pythons(_ report: ComparisonReport) -> String {
    let asked = (report.document.metrics + report.document.controls).map(\.python).uniqued()
    let versions = (asked.isEmpty ? report.interpreters.keys.sorted() : asked).map { report.interpreters[$0] ?? $0 }
    return "Python \(versions.joined(separator: " and "))"
  }
}
