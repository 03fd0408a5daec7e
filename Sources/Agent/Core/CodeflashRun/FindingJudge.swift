import Shared

/// Says what a run of codeflash found: from the requests that it made, the files that it left, and our own measurement.
/// Its exit status and its log say nothing: it ends with 0 whatever happens.
struct FindingJudge {
  let runner: CodeflashRunner
  let remeasurement: Remeasurement
  /// The least of our own measurement that is no noise: what codeflash itself asks for.
  private static let gain = 1.05

  struct Judgement {
    var run: FunctionRun
    /// Set when, and only when, the finding is `broken`.
    var breakage: Breakage?
  }

  func judge(_ record: CodeflashRunner.Record, on side: SideEnvironment) throws -> Judgement {
    let opportunity = record.opportunity
    let end = record.started + record.outcome.seconds
    var run = FunctionRun(
      function: opportunity.function, kind: opportunity.kind, finding: .broken, seconds: record.outcome.seconds,
      leastSpeedup: opportunity.leastSpeedup, phases: record.log.phases(from: record.started, to: end))
    func broken(by breakage: Breakage) -> Judgement {
      run.reason = breakage.reason
      return Judgement(run: run, breakage: breakage)
    }
    if let breakage = Breakage(record) { return broken(by: breakage) }
    guard record.log.accepted else {
      // Taken or not taken: without the report this release does not say it in words that are known here.
      guard !runner.hasChanged(opportunity) else {
        return broken(by: .unreportedChange(file: opportunity.file))
      }
      run.finding = opportunity.kind == .opportunity ? .missed : .rejectedRightly
      if run.finding == .missed {
        run.reason = "its tests ran and candidates were tried, none was taken"
      }
      return Judgement(run: run)
    }
    run.candidate = record.log.best?.candidate
    run.claimedSpeedup = record.log.best?.speedup
    try judgeAccepted(opportunity, on: side, into: &run)
    return Judgement(run: run)
  }

  private func judgeAccepted(
    _ opportunity: OpportunityList.Opportunity, on side: SideEnvironment, into run: inout FunctionRun
  ) throws {
    run.finding = .acceptedWrongly
    guard runner.hasChanged(opportunity) else {
      run.reason = "a candidate was taken, but \(opportunity.file) is as it was"
      return
    }
    let measured = try remeasurement.measure(opportunity, on: side)
    run.measuredSpeedup = measured.speedup
    guard let speedup = measured.speedup else {
      run.reason = "the accepted code can't be measured: \(measured.reason ?? "it gives no answer")"
      return
    }
    guard measured.sameAnswer else {
      run.reason = "the accepted code gives another answer than the code before it"
      return
    }
    guard opportunity.kind == .opportunity, let least = opportunity.leastSpeedup else {
      run.reason = "nothing that was offered should be taken"
      return
    }
    // A true gain that is too small is no find; no gain at all is an error of codeflash's.
    run.finding = speedup >= least ? .found : speedup >= Self.gain ? .missed : .acceptedWrongly
    if run.finding != .found {
      run.reason = "by our measurement the accepted code is \(tenths(speedup))x as fast, \(tenths(least))x is the least"
    }
  }

  private func tenths(_ value: Double) -> String {
    let tenths = Int((min(value, 1e9) * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
