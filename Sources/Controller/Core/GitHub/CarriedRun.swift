import Foundation
import GitHub
import Shared
import SystemPackage
import Tools

/// Carries the results of a fork's run, which may not write comments, to its pull request.
///
/// Whoever wrote the fork's code may have written the files: they are data of a stranger. Nothing of them is run, the words
/// are made here from the events, and the pull request is not found through them.
struct CarriedRun {
  let step: CIStep
  let run: FinishedRun

  private static let sizeLimit = 64 << 20

  private struct Artifacts: Decodable {
    struct Artifact: Decodable {
      var name: String
      var sizeInBytes: Int
      var expired: Bool
      enum CodingKeys: String, CodingKey {
        case name, expired
        case sizeInBytes = "size_in_bytes"
      }
    }
    var artifacts: [Artifact]
  }

  func carry() async throws -> CIEnd {
    let owner = String(run.repository.prefix { $0 != "/" })
    let pulls = try await step.api.openPulls(ofBranch: run.branch, owner: owner)
    guard
      let pull = pulls.first(where: {
        $0.head.sha == run.commit.text && $0.head.repo?.fullName.lowercased() == run.repository.lowercased()
      })
    else { return CIEnd(nothing: "no open pull request has the commit \(run.commit.text.prefix(12)) as its head") }
    let name = step.inputs.artifact
    let found = try await step.api.get(Artifacts.self, step.api.path("actions/runs/\(run.id)/artifacts?per_page=100"))
    guard let artifact = found.artifacts.first(where: { $0.name == name && !$0.expired }) else {
      return CIEnd(nothing: "the run \(run.id) left no results")
    }
    guard artifact.sizeInBytes <= Self.sizeLimit else { throw refusal("it has \(Numbers.bytes(artifact.sizeInBytes))") }
    return try await withTemporaryFolder { folder in
      try await download(name, to: folder)
      var end = CIEnd(status: .done)
      let report = try read(folder)
      end.reason = "carried the results of the run \(run.id) to pull request \(pull.number)"
      end.stamp = .init(run: run.id, attempt: 1)
      end.report = report
      end.pull = pull.number
      end.remark =
        "Measured on a shared runner of GitHub's, in a run of the fork's own: a first look, no proof. A member who has read "
        + "the commit may have it measured on the benchmark machine with the comment: \(Decision.command) \(run.commit)"
      end.footer = "<sub>Commit \(run.commit)</sub>\n"
      return end
    }
  }

  private func download(_ name: String, to folder: String) async throws {
    let tool = step.api.tool
    let result = try await tool.run(
      ["run", "download", String(run.id), "--repo", step.api.repository, "--name", name, "--dir", folder],
      limit: .seconds(120))
    guard result.succeeded else { throw refusal("gh could not fetch it: \(result.error.suffix(300))") }
  }

  /// The one folder of a comparison in it.
  private func read(_ folder: String) throws -> StoredReport {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
      .filter { $0 == RunFolder.sidesFile || $0.hasSuffix("/" + RunFolder.sidesFile) }
    for name in names.prefix(10) {
      let path = FilePath("\(folder)/\(name)").removingLastComponent()
      let opened = try RunFolder.open(path)
      guard opened.isComparison else { continue }
      let attributes = try FileManager.default.attributesOfItem(atPath: opened.events.string)
      guard attributes[.type] as? FileAttributeType == .typeRegular,
        (attributes[.size] as? Int ?? .max) <= Self.sizeLimit
      else { throw refusal("its events are no file of a sensible size") }
      guard case .comparison(var report, let record) = try StoredReport.read(opened) else { continue }
      report.gate = Gate()
      report.document.cost = nil
      return .comparison(report, record)
    }
    throw refusal("it holds no comparison")
  }

  private func refusal(_ why: String) -> Problem {
    Problem(
      what: "the results of the run \(run.id) are not carried to the pull request", why: why,
      fix: "look at that run's log; a member may measure the commit with \(Decision.command) \(run.commit)",
      exitStatus: .partial)
  }
}
