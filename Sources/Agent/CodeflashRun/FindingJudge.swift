import Shared

/// Says what a run of codeflash found: from the requests that it made, the files that it left, and our own measurement.
/// Its exit status and its log say nothing: it ends with 0 whatever happens.
struct FindingJudge {
  let runner: CodeflashRunner
  let remeasurement: Remeasurement
  /// The least of our own measurement that is no noise: what codeflash itself asks for.
  private static let gain = 1.05

  func judge(_ record: CodeflashRunner.Record, on side: SideEnvironment) throws -> FunctionRun {
    let opportunity = record.opportunity
    let end = record.started + record.outcome.seconds
    var run = FunctionRun(
      function: opportunity.function, kind: opportunity.kind, finding: .broken, seconds: record.outcome.seconds,
      leastSpeedup: opportunity.leastSpeedup, phases: record.log.phases(from: record.started, to: end))
    if let reason = Breakage.reason(record) {
      run.reason = reason
      return run
    }
    guard record.log.accepted else {
      // Taken or not taken: without the report this release does not say it in words that are known here.
      guard !runner.hasChanged(opportunity) else {
        run.reason = "it changed \(opportunity.file) without a report that a candidate was taken"
        return run
      }
      run.finding = opportunity.kind == .opportunity ? .missed : .rejectedRightly
      if run.finding == .missed {
        run.reason = "its tests ran and candidates were tried, none was taken"
      }
      return run
    }
    run.candidate = record.log.best?.candidate
    run.claimedSpeedup = record.log.best?.speedup
    try judgeAccepted(opportunity, on: side, into: &run)
    return run
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

/// Why a run says nothing about what codeflash can find.
enum Breakage {
  static func reason(_ record: CodeflashRunner.Record) -> String? {
    let requests = record.log.requests
    if let unknown = requests.first(where: { $0.unknown == true }) {
      return "codeflash asked what no recording answers: \(unknown.method) \(unknown.endpoint)"
        + (unknown.function.map { " about \($0)" } ?? "") + (unknown.request.map { ": \($0.prefix(400))" } ?? "")
    }
    if record.freeBytes < 1 << 20 || record.words.contains(where: { $0.contains("No space left on device") }) {
      return "the disk is full where it ran"
    }
    if requests.contains(where: { $0.refused == true || $0.status == 401 || $0.status == 403 }) {
      return "the service refused the key"
    }
    if let failure = requests.lazy.compactMap(\.upstreamFailure).first {
      return "the live service can't be reached: \(failure)"
    }
    if let failure = requests.lazy.compactMap(\.failure).first {
      return "the stand-in of its service failed: \(failure)"
    }
    if record.serviceEnded { return "the stand-in of its service ended in the middle of the run" }
    switch record.outcome.end {
    case .timedOut: return "it took longer than its time limit"
    case .signalled, .exited(1...), .exited(..<0):
      return "it \(record.outcome.endWords): \(lastWords(record))"
    case .exited: break
    }
    if requests.isEmpty { return "it made no request of its service: \(lastWords(record))" }
    if record.log.accepted || record.log.hasBaseline { return nil }
    return "it could not run the tests of the function: \(record.testComplaint ?? lastWords(record))"
  }

  private static func lastWords(_ record: CodeflashRunner.Record) -> String {
    // A profiler that runs along has its say in the end.
    let lines = record.words.filter { line in line.contains(where: \.isLetter) && !line.hasPrefix("py-spy>") }
    return lines.isEmpty ? "it printed nothing" : lines.suffix(3).joined(separator: " / ")
  }

  /// What a person can do about it.
  static func fix(_ reason: String) -> String {
    if reason.contains("'_nodeid'") {
      return "this release of codeflash can't work with pytest 9.2 or later: --set 'target.requirements=pytest<9.2'"
    }
    if reason.contains("disk is full") { return "make room at the far end: df -h ~/.cf-bench" }
    if reason.contains("no recording answers") {
      return "record it from the live service with 'cf-bench record', or add the answer to the project's recordings"
    }
    if reason.contains("refused the key") { return "check \(Secrets.codeflashKey); codeflash's site makes new ones" }
    if reason.contains("stand-in") { return "see whether something at the far end ends processes (memory, limits)" }
    if reason.contains("time limit") { return "raise it with --set optimize.timeout=10m, or see what holds it up" }
    return "run codeflash by hand on the project, as docs/replay.md says, and read what it prints"
  }
}
