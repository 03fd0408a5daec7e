import Statistics

/// What other tools say of two samples, at their own default levels. Each was read in the tool's source; none is run.
enum PeerRules {
  /// `undecided` stands for "no difference shown": none of them says that there is none.
  static func verdict(_ rule: Rule, _ base: [Double], _ head: [Double]) -> Decision.Verdict {
    guard let baseMean = Quantile.mean(base), let headMean = Quantile.mean(head),
      let baseMedian = Quantile.median(base), let headMedian = Quantile.median(head)
    else { return .undecided }
    let byMean: Decision.Verdict = headMean > baseMean ? .regressed : .improved
    let byMedian: Decision.Verdict = headMedian > baseMedian ? .regressed : .improved
    switch rule {
    case .hyperfine:
      // sharkdp/hyperfine, scripts/welch_ttest.py: th = 0.05
      return TwoSampleTests.welch(base, head) < 0.05 ? byMean : .undecided
    case .pyperf:
      // psf/pyperf, pyperf/_utils.py: is_significant with tdist95conf_level(118) = 1.984
      return abs(TwoSampleTests.pooledT(base, head)) >= 1.984 ? byMean : .undecided
    case .google:
      // google/benchmark, tools/gbench/report.py: utest_alpha = 0.05
      return TwoSampleTests.mannWhitney(base, head) < 0.05 ? byMedian : .undecided
    case .asv:
      // airspeed-velocity/asv: statistics.is_different with p_threshold 0.002; compare's factor 1.1 on medians
      guard TwoSampleTests.mannWhitneyOfASV(base, head) < 0.002 else { return .undecided }
      if headMedian < baseMedian / 1.1 { return .improved }
      return baseMedian < headMedian / 1.1 ? .regressed : .undecided
    case .threshold:
      let change = headMedian / baseMedian - 1
      return abs(change) > 0.05 ? byMedian : .undecided
    case .tango:
      return tango(zip(base, head).map { $1 - $0 }, base: baseMean)
    case .shipped, .former, .peekedInterval, .fixedInterval:
      return .undecided  // not a peer
    }
  }

  /// bazhenov/tango, tango-bench/src/lib.rs, `DiffEstimate::build`; without its optional filter of outliers. Real pairs of
  /// tango run in lock step; here the runs of a pair follow each other.
  private static func tango(_ differences: [Double], base: Double) -> Decision.Verdict {
    guard let moments = Moments(differences), moments.variance > 0 else { return .undecided }
    let z = moments.mean / (moments.variance / moments.count).squareRoot()
    guard abs(z) >= 2.6, abs(moments.mean / base) > 0.005 else { return .undecided }
    return moments.mean > 0 ? .regressed : .improved
  }
}
