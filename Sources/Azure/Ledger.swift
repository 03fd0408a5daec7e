import FoundationEssentials
import Shared

/// Every time that this person had a VM, one line each: `ledger.ndjson`.
public struct Ledger: Sendable {
  public struct Entry: Codable, Sendable, Equatable {
    public enum Outcome: String, Codable, Sendable {
      case deallocated, leftOn, kept, nothingToDo
    }
    public var schema = 1
    public var run: String
    public var owner: String
    public var group: String
    public var vm: String
    public var size: String?
    public var location: String?
    /// RFC 3339: from asking for the start until being rid of it.
    public var from: String
    public var to: String
    public var seconds: Double
    public var outcome: Outcome
  }

  let path: String
  private let state: StateFolder

  public init(state: StateFolder) {
    self.state = state
    path = state.ledger
  }

  func add(_ end: MachineEnd, of intent: Intent) throws {
    guard let from = intent.startedAt else { return }
    let outcome: Entry.Outcome =
      switch end.outcome {
      case .deallocated: .deallocated
      case .leftOn: .leftOn
      case .kept: .kept
      case .nothingToDo: .nothingToDo
      }
    try append(
      Entry(
        run: intent.run, owner: intent.owner, group: intent.group, vm: intent.vm, size: intent.resource?.size,
        location: intent.resource?.location, from: from, to: Timestamp.rfc3339(), seconds: end.seconds, outcome: outcome
      ))
  }

  private func append(_ entry: Entry) throws {
    try state.make(state.path)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      try DurableFile.append(Array(try encoder.encode(entry)) + [UInt8(ascii: "\n")], to: path)
    } catch let error as StorageFailure { throw StateFolder.failure(path, error.why ?? "") }
  }

  /// All entries in order; lines that can't be read are passed over and counted.
  public func entries() -> (entries: [Entry], unreadable: Int) {
    guard let data = FileManager.default.contents(atPath: path) else { return ([], 0) }
    var (entries, unreadable) = ([Entry](), 0)
    for line in data.split(separator: UInt8(ascii: "\n")) {
      if let entry = try? JSONDecoder().decode(Entry.self, from: Data(line)) {
        entries.append(entry)
      } else {
        unreadable += 1
      }
    }
    return (entries, unreadable)
  }
}
