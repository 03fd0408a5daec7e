import Shared
import Statistics

/// Holds sources of one side each against the first of them, benchmark by benchmark.
enum UnpairedSources {
  /// - Parameter pathOf: The path of each source, for errors.
  /// - Throws: ``AnalysisError/nothingInCommon(base:head:baseNames:headNames:)``
  static func sampleSet(
    base: SampleSource, heads: [SampleSource], alpha: Double, matchesSingles: Bool
  ) throws(AnalysisError) -> SampleSet {
    var set = SampleSet(
      base: .init(label: base.label, commit: base.commit, identity: base.identity),
      head: .init(
        label: heads.map(\.label).joined(separator: ", "), commit: heads.count == 1 ? heads.first?.commit : nil,
        identity: heads.count == 1 ? heads.first?.identity : nil),
      identical: base.identity != nil && heads.allSatisfy { $0.identity == base.identity })
    set.caveats = [Caveat.unpaired(alpha: alpha)] + base.caveats
    set.troubles = base.troubles
    for head in heads {
      let suffix = heads.count > 1 ? " [\(head.label)]" : ""
      set.caveats += head.caveats
      set.troubles += head.troubles
      try add(head, against: base, to: &set, suffix: suffix, matchesSingles: matchesSingles)
    }
    return set
  }

  private static func add(
    _ head: SampleSource, against base: SampleSource, to set: inout SampleSet, suffix: String, matchesSingles: Bool
  ) throws(AnalysisError) {
    let all = base.results.count + base.troubles.count + head.results.count + head.troubles.count
    if matchesSingles, all == 2, let one = base.results.first, let other = head.results.first {
      if one.name != other.name {
        set.caveats.append(
          "\(one.name) of \(base.label) is held against \(other.name) of \(head.label): each is the only result of its file."
        )
      }
      return pair(one, other, base, head, &set, suffix)
    }
    let others = Dictionary(head.results.map { ($0.match, $0) }) { first, _ in first }
    let matched = Set(base.results.map(\.match)).intersection(others.keys)
    if matched.isEmpty, !base.results.isEmpty, !head.results.isEmpty {
      throw .nothingInCommon(
        base: base.label, head: head.label, baseNames: base.results.map(\.name), headNames: head.results.map(\.name))
    }
    for one in base.results {
      if let other = others[one.match] {
        pair(one, other, base, head, &set, suffix)
      } else {
        leaveOut(one, in: base, notIn: head, &set, suffix)
      }
    }
    for other in head.results where !matched.contains(other.match) {
      leaveOut(other, in: head, notIn: base, &set, suffix)
    }
  }

  private static func pair(
    _ one: SampleSource.Result, _ other: SampleSource.Result, _ base: SampleSource, _ head: SampleSource,
    _ set: inout SampleSet, _ suffix: String
  ) {
    let name = one.name + suffix
    guard one.unit == other.unit else {
      let reason = "\(base.label) counts it in \(one.unit.rawValue), and \(head.label) in \(other.unit.rawValue)"
      set.troubles.append(Trouble(layer: one.layer, metric: name, problem: .withoutResult(name, reason)))
      return
    }
    if one.python != other.python {
      set.caveats.append(
        "\(name) ran with Python \(one.python) on the base and with Python \(other.python) on the head.")
    }
    let key = MetricKey(
      layer: one.layer, metric: name, python: one.python == other.python ? one.python : SampleSource.unknownPython,
      unit: one.unit, isControl: one.isControl)
    let observations = [(one, Observation.Arm.base), (other, .head)].flatMap { result, arm in
      result.values.enumerated().map { Observation(block: $0, arm: arm, value: $1) }
    }
    set.series.append(MetricSeries(key, observations: observations, isPaired: false))
  }

  /// What only one side has; a side that has it without a usable value said so already.
  private static func leaveOut(
    _ result: SampleSource.Result, in source: SampleSource, notIn other: SampleSource, _ set: inout SampleSet,
    _ suffix: String
  ) {
    guard !other.troubles.contains(where: { $0.metric == result.name }) else { return }
    let reasons = other.skipped.filter {
      $0.metric == result.name && $0.layer == result.layer && $0.python == result.python
    }
    guard reasons.isEmpty else {
      set.skipped += reasons
      return
    }
    set.troubles.append(
      Trouble(
        layer: result.layer, metric: result.name + suffix,
        problem: .withoutResult(
          result.name + suffix, "\(source.label) has it, and \(other.label) has not",
          fix: "measure it on both sides, under the same name")))
  }
}
