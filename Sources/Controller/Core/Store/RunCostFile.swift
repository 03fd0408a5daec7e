import FoundationEssentials
import Shared
import SystemPackage

/// `cost.json`: what the machine of a run cost. The one document that does not follow from the events: the benchmark host knows
/// nothing of it.
struct RunCostFile: Codable, Equatable, Sendable {
  static let name = "cost.json"

  var schema = 1
  var cost: RunCost

  init(cost: RunCost) { self.cost = cost }

  func write(to folder: RunFolder) throws(ResultsError) {
    try StoredFile.write(json: self, to: folder.path.appending(Self.name))
  }

  /// `nil` where the machine was not rented for the run.
  /// - Throws: ``ResultsError``
  static func read(from folder: RunFolder) throws(ResultsError) -> RunCost? {
    let file = folder.path.appending(name)
    guard FileManager.default.fileExists(atPath: file.string) else { return nil }
    return try StoredFile.decode(RunCostFile.self, at: file).cost
  }
}
