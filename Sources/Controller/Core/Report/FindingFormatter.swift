import Shared

/// What codeflash found, in words and tables.
enum FindingFormatter {
  static let rowName = "Opportunities found"

  /// `10 of 10`, `broken`, with what is wrong behind it.
  static func count(_ count: FindingCount) -> String {
    let words = count.words
    return words.hasPrefix("found ") ? String(words.dropFirst("found ".count)) : words
  }

  /// What differs: `the same`, `lost depot.stock:pack`.
  static func difference(_ comparison: FindingComparison) -> String {
    let differing = comparison.functions.filter { $0.base.finding != $0.head.finding }
    func names(_ pairs: [FindingComparison.Pair]) -> String {
      listed(pairs.map(\.head.function), most: 3)
    }
    let won = differing.filter { $0.head.rank > $0.base.rank }
    let lost = differing.filter { $0.head.rank < $0.base.rank }
    var words: [String] = []
    if !lost.isEmpty { words.append("\(verb(comparison.verdict, "lost")) \(names(lost))") }
    if !won.isEmpty { words.append("\(verb(comparison.verdict, "won")) \(names(won))") }
    if words.isEmpty {
      let unstable = comparison.functions.filter { !$0.base.isStable || !$0.head.isStable }
      return unstable.isEmpty ? "the same" : "undecided (runs disagree on \(names(unstable)))"
    }
    return words.joined(separator: "; ")
  }

  private static func verb(_ verdict: ComparisonDocument.RunVerdict, _ word: String) -> String {
    verdict == .undecided ? "undecided, perhaps \(word)" : word
  }

  static func word(_ finding: FunctionRun.Finding) -> String {
    switch finding {
    case .found: "found"
    case .rejectedRightly: "rejected, rightly"
    case .missed: "missed"
    case .acceptedWrongly: "accepted, wrongly"
    case .broken: "broken"
    }
  }

  /// `found, 18x (19x claimed)`: our own measurement first.
  static func result(_ finding: FunctionFinding) -> String {
    var words = word(finding.finding)
    if let measured = finding.measuredSpeedup { words += ", \(Numbers.digits(measured, 2))x" }
    if let claimed = finding.claimedSpeedup { words += " (\(Numbers.digits(claimed, 2))x claimed)" }
    if !finding.isStable {
      let counts = finding.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      words += " – runs disagree: \(counts.joined(separator: ", "))"
    }
    return words
  }

  /// How the runs were made, for a reader who asks what the numbers stand for.
  static func method(_ result: OptimizeDocument.Result) -> String {
    let count = result.functions.count
    let form =
      result.form == .full
      ? "all \(count) functions" : count > 1 ? "one function, and once all \(count) for what is found" : "one function"
    let source =
      result.network == "open" ? "answers of the live service" : "recorded answers, no way out (\(result.network))"
    return "\(form) of the project, with \(source)"
  }

  /// Rows of what only the head was asked for: name, what it found, over how many functions.
  static func headAlone(_ report: ComparisonReport) -> [(name: String, found: String, words: String)] {
    report.optimize.compactMap { pair in
      guard pair.head.functions.count > pair.base.functions.count else { return nil }
      let python = report.optimize.count > 1 ? ", Python \(pair.head.python)" : ""
      return (
        "\(rowName) (head alone\(python))", count(pair.head.findings), "over all \(pair.head.functions.count) functions"
      )
    }
  }

  // MARK: Folded parts of the comment

  /// `nil` when layer 3 did not run.
  static func markdown(_ report: ComparisonReport) -> String? {
    guard !report.document.findings.isEmpty else { return nil }
    let parts = report.document.findings.map { comparison in
      let title = report.document.findings.count > 1 ? "**Python \(Markdown.text(comparison.python))**\n\n" : ""
      return title
        + Markdown.table(
          ["Function", "What is there", "Base", "Head"],
          comparison.functions.map {
            [
              Markdown.code($0.head.function), kind($0.head), Markdown.text(result($0.base)),
              Markdown.text(result($0.head)),
            ]
          })
    }
    let runs = report.optimize.first.map { "Runs on \(Markdown.text(Self.method($0.head))). " } ?? ""
    let method =
      runs
      + "Speed-ups are our own measurement of the accepted code; what codeflash claims stands behind. "
      + "`optimize.json` has every run.\n"
    return Comment.fold("Findings of the optimize run", ([method] + parts).joined(separator: "\n"))
  }

  private static func kind(_ finding: FunctionFinding) -> String {
    switch finding.kind {
    case .opportunity: finding.leastSpeedup.map { "opportunity, at least \(Numbers.digits($0, 2))x" } ?? "opportunity"
    case .trap: "trap"
    case .control: "nothing"
    }
  }

  /// Where the time of a run goes on both sides; `nil` when nothing is known of it.
  static func phases(_ report: ComparisonReport) -> String? {
    let parts = report.phases.map { pair in
      let names = (pair.base.phases + pair.head.phases).map(\.name).uniqued()
      func seconds(_ phases: ProfiledPhases, _ name: String) -> Double {
        phases.phases.first { $0.name == name }?.seconds ?? 0
      }
      let rows = names.map { name in
        let (base, head) = (seconds(pair.base, name), seconds(pair.head, name))
        // Samples of 10 ms, less what is left over of adding them up.
        let difference = ((head - base) * 1e4).rounded() / 1e4
        let words = difference == 0 ? "0 s" : (difference > 0 ? "+" : "") + Numbers.seconds(difference)
        return [Markdown.text(name), Numbers.seconds(base), Numbers.seconds(head), words]
      }
      return "One run on one function a side, by \(Markdown.text(pair.head.tool))"
        + (report.phases.count > 1 ? ", Python \(Markdown.text(pair.head.python))" : "")
        + ": for where, not how much.\n\n" + Markdown.table(["Phase", "Base", "Head", "Difference"], rows)
    }
    guard !parts.isEmpty else { return nil }
    return Comment.fold("Phases of the optimize run", parts.joined(separator: "\n"))
  }
}
