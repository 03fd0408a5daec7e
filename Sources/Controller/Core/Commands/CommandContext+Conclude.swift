import Foundation
import Shared
import SystemPackage

/// Where a job's results go, once that is known.
final class ResultsPlace {
  var folder: RunFolder?
}

extension CommandContext {
  /// Follows a job with `body` and prints what came of it. What a job left that was cut short, by a cancel or by a line that
  /// did not come back, is reported as far as it goes before the error is.
  func concluding(
    _ results: ResultsPlace, _ progress: TerminalProgress,
    _ body: () async throws -> (ended: Ended, use: MachineUseRecord?)
  ) async throws -> ExitStatus {
    let ended: Ended
    do {
      let use: MachineUseRecord?
      (ended, use) = try await withTicks(progress, body)
      if let folder = results.folder, let use { try RunCostFile(cost: use).write(to: folder) }
    } catch {
      if let folder = results.folder {
        // What went wrong first is what ends the command.
        do { try reportPart(in: folder, progress) } catch let failure as OutputFailure { _ = Failure(failure).tell() }
      }
      throw error
    }
    guard let folder = results.folder else { return .infrastructure }
    let report = try show(folder, progress)
    if let problem = report.record.finished?.problem { throw problem }
    if ended.reason == .runnerLost {
      throw Problem(
        what: "the job's runner ended without reporting a result", why: ended.log,
        fix: "look at the benchmark host's memory and uptime; what was measured before is in \(folder.path.string)",
        exitStatus: .infrastructure)
    }
    return report.exitStatus
  }

  private func show(_ folder: RunFolder, _ progress: TerminalProgress) throws -> StoredReport {
    let report = try StoredReport.rewrite(folder)
    progress.finish("results in \(folder.path.string)")
    try report.tell(in: folder.path, as: output)
    return report
  }

  /// A folder without one event has nothing to report.
  private func reportPart(in folder: RunFolder, _ progress: TerminalProgress) throws {
    guard let size = try FileManager.default.attributesOfItem(atPath: folder.events.string)[.size] as? Int, size > 0
    else { return progress.finish("no event arrived; the folder is \(folder.path.string)") }
    _ = try show(folder, progress)
  }
}
