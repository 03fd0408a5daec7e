import Shared

/// The words around a ``DifferentialFlameGraph``. Such pictures are easily read the wrong way round, so every line that
/// names a colour or a number says whose it is.
struct DifferenceFormatter {
  private let metric: String
  private let python: String
  private let toolOfEach: [Side: String]
  private let unit: StackProfile.Unit
  private let labels: [Side: String]
  private let leftOut: FrameChange

  init(base: StackProfile, head: StackProfile, labels: [Side: String]) {
    metric = head.metric
    python = head.python
    toolOfEach = [.base: base.tool, .head: head.tool]
    unit = head.unit
    self.labels = labels
    leftOut = FrameChange(base: base.drawableLeftOut, head: head.drawableLeftOut)
  }

  /// What is spent: the graphs are of time or of memory.
  private var matter: String { unit == .seconds ? "time" : "memory" }
  private var spends: String { unit == .seconds ? "spends" : "takes" }

  var title: String {
    "\(TerminalText.clean(metric, limit: 70)): where head \(spends) more or less \(matter) than base"
  }

  var tools: String {
    let (base, head) = (toolOfEach[.base] ?? "", toolOfEach[.head] ?? "")
    let words = "Python \(python) · \(base == head ? head : "base by \(base), head by \(head)")"
    guard leftOut.base + leftOut.head > 0 else { return words }
    return words + " · stacks left out for size, blank below: base \(unit.words(leftOut.base)), "
      + "head \(unit.words(leftOut.head))"
  }

  /// The line before a side's bar, its label cut rather than its number.
  func total(_ side: Side, _ total: Double) -> String {
    "\(side.rawValue): \(unit.words(total)) · \(TerminalText.clean(labels[side] ?? side.rawValue, limit: 40))"
  }

  func verdict(_ totals: FrameChange, _ noise: FrameChange.Noise) -> String {
    guard totals.base > 0 || totals.head > 0 else { return "No stacks were taken on either side." }
    if totals.base == 0 { return "No stacks were taken of base: everything below is head's alone." }
    if totals.head == 0 { return "No stacks were taken of head: everything below is base's alone." }
    let isNoise = totals.step(noise) == .same
    return "In total \(comparison(totals))" + (isNoise ? ": within noise." : ".")
  }

  var legend: [(styles: [String], words: String)] {
    let order: (ClosedRange<Int>) -> [String] = { $0.map { FrameChange.Step.allCases[$0].rawValue } }
    return [
      (order(4...6).reversed(), "red: head \(spends) MORE \(matter) than base"),
      (order(3...3), "grey: as much, within noise"),
      (order(0...2), "blue: head \(spends) LESS \(matter) than base"),
    ]
  }

  var noise: String {
    let share = Numbers.fixed(100 * FrameChange.Noise.share, 0)
    let ofTotal = Numbers.fixed(100 * FrameChange.Noise.shareOfTotal, 1)
    let samples = unit == .seconds ? ", or what the number of samples can't tell" : ""
    return "Stronger colours: over a quarter, over half of the call's heavier side. "
      + "Noise: under \(share)% of the call, under \(ofTotal)% of the whole\(samples)."
  }

  func headStrip(_ icicle: Icicle, isCutInDepth: Bool) -> String {
    let small = icicle.leftOut > 0 ? "; \(icicle.leftOut) calls too small to draw" : ""
    let deep = isCutInDepth ? "; cut \(CallTree.maximumDepth) calls down" : ""
    return "HEAD: a box is as wide as head's \(matter) in it\(small)\(deep)"
  }

  /// - Parameter shrink: The strip's scale as a part of head's; `nil` when there is no strip of head.
  func goneStrip(_ weight: Double, _ shrink: Double?) -> String {
    guard weight > 0 else { return "BASE ONLY: nothing that base calls is missing in head" }
    let scale =
      switch shrink {
      case nil: ""
      case .some(1): ", same scale as above"
      case .some(let shrink): ", at \(Numbers.digits(shrink, 2)) of the scale above"
      }
    return "BASE ONLY: \(unit.words(weight)) in calls that head no longer makes there, or hardly; "
      + "a box is as wide as base's \(matter) in it\(scale)"
  }

  /// - Parameters:
  ///   - everywhere: The function's weights wherever it is called.
  ///   - caller: Where the picture does not show it.
  func tooltip(_ change: FrameChange, of totals: FrameChange, everywhere: FrameChange?, caller: CallTree.Function?)
    -> [String]
  {
    var lines = caller.map { ["called by \($0.words)"] } ?? []
    lines += [
      side(.base, change.base, of: totals.base), side(.head, change.head, of: totals.head), comparison(change),
    ]
    // A call that moved to another caller is gone here and new there.
    if let everywhere, everywhere != change {
      lines.append(
        "wherever it is called from: base \(unit.words(everywhere.base)), head \(unit.words(everywhere.head))")
    }
    return lines
  }

  func smaller(_ box: Icicle.Box, of side: Side) -> [String] {
    guard case .smaller(let calls) = box.content else { return [] }
    return ["\(calls) smaller", "\(side.rawValue): \(unit.words(box.weight)) together"]
  }

  private func side(_ side: Side, _ value: Double, of total: Double) -> String {
    let label = TerminalText.clean(labels[side] ?? "", limit: 60)
    let name = label.isEmpty ? side.rawValue : "\(side.rawValue) (\(label))"
    guard value > 0 else { return "\(name): not called here" }
    return "\(name): \(unit.words(value)), \(Numbers.digits(100 * value / total, 3))% of its whole"
  }

  /// `head spends 600 ms MORE than base (+50%)`.
  private func comparison(_ change: FrameChange) -> String {
    guard change.difference != 0 else { return "head \(spends) as much as base" }
    let amount = unit.words(abs(change.difference))
    let words = "head \(spends) \(amount) \(change.difference > 0 ? "MORE" : "LESS") than base"
    guard change.base > 0, change.head > 0 else { return words }
    let percent = 100 * change.difference / change.base
    return "\(words) (\(percent > 0 ? "+" : "")\(Numbers.digits(percent, abs(percent) < 1 ? 1 : 2))%)"
  }
}
