import Glibc
import Shared

/// Turns the knobs of the whole machine and puts them back. Only for the holder of the machine's lock.
struct MachineTuning {
  var files = MachineFiles()
  /// Path of the ``TuningRecord``.
  let record: String
  var isRoot = geteuid() == 0

  // MARK: Turning

  /// Turns what can be turned; what can't is said in the reports and is no error.
  func tune() -> [TuningReport] {
    let knobs = KernelKnob.all(files)
    do { try keepOriginals(of: knobs) } catch {
      let reason =
        (error as? TuningRecord.Damaged)?.reason ?? (error as? any UserFacingError)?.problem.why
        ?? SystemErrorText.describe(error)
      return knobs.map { report(on: $0, unlessSo: .notPermitted, "what it is now can't be kept for later: \(reason)") }
    }
    return knobs.map(turn)
  }

  /// Puts the values that are about to change on the disk. Those that stand there already are older, so they stay.
  private func keepOriginals(of knobs: [KernelKnob]) throws {
    let old = try TuningRecord.read(record) ?? TuningRecord()
    var new = old
    for knob in knobs where isRoot || !knob.needsRoot {
      for path in knob.paths where !new.originals.contains(where: { $0.path == path }) {
        guard let value = files.text(path), value != knob.wanted, KernelKnob.isPlain(value) else { continue }
        new.originals.append(.init(path: path, value: value))
      }
    }
    if new != old { try new.save(to: record) }
  }

  private func turn(_ knob: KernelKnob) -> TuningReport {
    let before = values(of: knob)
    guard before.contains(where: { $0 != knob.wanted }) else { return report(on: knob, unlessSo: .notVisible) }
    guard before.allSatisfy(KernelKnob.isPlain) else {
      return report(on: knob, unlessSo: .didNotTake, "it has a value of an unknown form, so it was left alone")
    }
    if knob.needsRoot, !isRoot { return report(on: knob, unlessSo: .notPermitted, "root only") }
    var refusals: [Int32] = []
    for path in knob.paths {
      guard let value = files.text(path), value != knob.wanted else { continue }
      let code = files.write(knob.wanted, to: path)
      if code != 0 { refusals.append(code) }
    }
    var report = report(on: knob, unlessSo: .didNotTake)
    report.before = words(before, knob)
    if report.outcome == .alreadySo {
      report.outcome = .changed
    } else if let code = refusals.first {
      if [EACCES, EPERM, EROFS].contains(code) { report.outcome = .notPermitted }
      report.detail = String(cString: strerror(code))
    } else {
      report.detail = "the kernel took the change and shows another value"
    }
    return report
  }

  private func values(of knob: KernelKnob) -> [String] { knob.paths.compactMap(files.text) }

  private func words(_ values: [String], _ knob: KernelKnob) -> String? {
    values.isEmpty ? nil : Set(values).sorted().map(knob.words).joined(separator: ", ")
  }

  /// The knob as it is; `outcome` where it is not as wanted.
  private func report(
    on knob: KernelKnob, unlessSo outcome: TuningReport.Outcome, _ detail: String? = nil
  ) -> TuningReport {
    let values = values(of: knob)
    let isSo = !values.isEmpty && values.allSatisfy { $0 == knob.wanted }
    let now = words(values, knob)
    return TuningReport(
      knob: knob.knob, before: now, wanted: knob.words(knob.wanted), after: now,
      outcome: values.isEmpty ? .notVisible : isSo ? .alreadySo : outcome,
      detail: values.isEmpty || isSo ? nil : detail)
  }

  // MARK: Putting back

  /// Puts back what the record tells of, reads it again, and removes the record once all stands as it was.
  /// - Returns: what a person has to know; empty when all is well or there is no record.
  func restore() -> [Problem] {
    let found: TuningRecord?
    do { found = try TuningRecord.read(record) } catch { return [moveAside(error.reason)] }
    guard let found else { return [] }
    let problems = found.originals.compactMap(putBack)
    guard problems.isEmpty else { return problems }
    do { try DurableFile.remove(record) } catch {
      return [
        Problem(
          what: "the record of what a job changed at the machine can't be removed, though all is put back",
          why: error.why, fix: "remove it on the benchmark host: rm \(record)", exitStatus: .infrastructure)
      ]
    }
    return []
  }

  private func putBack(_ original: TuningRecord.Original) -> Problem? {
    // A CPU may have been taken away since: its file is gone, and with it the value.
    guard files.exists(original.path), files.text(original.path) != original.value else { return nil }
    let code = files.write(original.value, to: original.path)
    let now = files.text(original.path)
    guard now != original.value else { return nil }
    let reason = code == 0 ? "the kernel took the change back and shows another value" : String(cString: strerror(code))
    return Problem(
      what: "the benchmark host's machine is not as it was before a job tuned it",
      why: "\(original.path) was \(original.value) and is \(now.map(HostReader.printable) ?? "unreadable"): \(reason)",
      fix:
        "type on the benchmark host: sudo sh -c 'echo \(original.value) > \(original.path)' (the next job there tries again)",
      exitStatus: .infrastructure)
  }

  private func moveAside(_ reason: String) -> Problem {
    let aside = "\(record).damaged-\(Timestamp.folder())"
    let isMoved = rename(record, aside) == 0
    let place = isMoved ? "it now lies at \(aside)" : "it can't be moved: \(String(cString: strerror(errno)))"
    return Problem(
      what: "the record of what an earlier job changed at the machine is damaged",
      why: "\(record): \(reason); \(place)",
      fix: "see on the benchmark host that 'cat \(KernelPaths.addressRandomisation)' says 2 (or what it should), "
        + "and that turbo and frequency governor are as you want them\(isMoved ? "" : "; then remove the record")",
      exitStatus: .infrastructure)
  }
}
