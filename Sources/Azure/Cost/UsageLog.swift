import FoundationEssentials
import Shared

/// Every start and stop that this person's commands asked for, one line each: `ledger.ndjson`. A start without a stop
/// is one whose command was killed, or still runs.
public struct UsageLog: Sendable {
  public enum Event: String, Codable, Sendable {
    /// Written before the start is asked for.
    case started
    /// Written once Azure's word is there that the VM is off, or somebody else's.
    case stopped
    /// Deallocated for no run of its own: by hand, or for one whose time is not known.
    case off
  }

  /// The end of having a VM.
  public struct Entry: Codable, Sendable, Equatable {
    public enum Outcome: String, Codable, Sendable {
      case deallocated, leftOn, kept, nothingToDo
    }
    public var schema = 1
    /// `nil` in lines of the first release.
    public var event: Event?
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
    /// Until when it was to stay on, RFC 3339; for `kept` only.
    public var keptUntil: String?
    /// US dollars; `nil` where no price was known.
    public var usdPerHour: Double?
    public var usd: Double?
    public var priceAsOf: String?
    public var priceSource: Price.Source?
  }

  /// The beginning of having a VM.
  public struct Start: Codable, Sendable, Equatable {
    public var schema = 1
    public var event = Event.started
    public var run: String
    public var owner: String
    public var group: String
    public var vm: String
    public var size: String?
    public var location: String?
    /// RFC 3339: when the start was asked for.
    public var from: String
    /// RFC 3339: when its lease ends, after which the VM's watchdog stops it.
    public var until: String
    public var kind: String
  }

  let path: String
  private let state: StateFolder

  public init(state: StateFolder) {
    self.state = state
    path = state.ledger
  }

  func begin(_ intent: Intent, lease: Lease) throws {
    guard let from = intent.startedAt else { return }
    try append(
      Start(
        run: intent.run, owner: intent.owner, group: intent.group, vm: intent.vm, size: intent.resource?.size,
        location: intent.resource?.location, from: from, until: Timestamp.rfc3339(lease.until),
        kind: lease.kind.rawValue))
  }

  /// - Parameter price: of an hour of it, as far as known.
  func add(_ end: VMOutcome, of intent: Intent, price: Price? = nil, at now: Date = .now) throws {
    let now = Timestamp.rfc3339(now)
    var entry = Entry(
      event: .stopped, run: intent.run, owner: intent.owner, group: intent.group, vm: intent.vm,
      size: intent.resource?.size, location: intent.resource?.location, from: intent.startedAt ?? now, to: now,
      seconds: end.seconds, outcome: Entry.Outcome(end.outcome))
    if case .kept(let until) = end.outcome { entry.keptUntil = Timestamp.rfc3339(until) }
    if intent.startedAt == nil {
      guard entry.outcome == .deallocated else { return }
      entry.event = .off
      return try append(entry)
    }
    if let price {
      entry.usdPerHour = price.usd
      entry.usd = price.usd * end.seconds / 3600
      entry.priceAsOf = price.asOf
      entry.priceSource = price.source
    }
    try append(entry)
  }

  private func append(_ entry: some Encodable) throws {
    try state.make(state.path)
    do {
      try DurableFile.append(line: Array(try JSONEncoder.line.encode(entry)), to: path)
    } catch let error as StorageFailure { throw StateFolder.failure(path, error.why ?? "") }
  }

  /// All uses that have ended, in order; lines that can't be read are passed over and counted.
  public func entries() -> (entries: [Entry], unreadable: Int) {
    let all = content()
    return (all.uses, all.unreadable)
  }

  public struct Content: Sendable, Equatable {
    public var starts: [Start] = []
    public var uses: [Entry] = []
    /// Moments at which a VM was proved off for no run of its own.
    public var offs: [Entry] = []
    /// Lines that can't be read: the last one of a crash, or those of a newer release.
    public var unreadable = 0
  }

  public func content() -> Content {
    guard let data = FileManager.default.contents(atPath: path) else { return Content() }
    let decoder = JSONDecoder()
    struct Kind: Decodable { var event: String? }
    var content = Content()
    for line in data.split(separator: UInt8(ascii: "\n")) {
      let line = Data(line)
      let event = (try? decoder.decode(Kind.self, from: line))?.event
      if event == Event.started.rawValue, let start = try? decoder.decode(Start.self, from: line) {
        content.starts.append(start)
      } else if event == Event.off.rawValue, let off = try? decoder.decode(Entry.self, from: line) {
        content.offs.append(off)
      } else if event ?? Event.stopped.rawValue == Event.stopped.rawValue,
        let use = try? decoder.decode(Entry.self, from: line)
      {
        content.uses.append(use)
      } else {
        content.unreadable += 1
      }
    }
    return content
  }
}

extension UsageLog.Entry.Outcome {
  init(_ outcome: VMOutcome.Outcome) {
    self =
      switch outcome {
      case .deallocated: .deallocated
      case .leftOn: .leftOn
      case .kept: .kept
      case .nothingToDo, .offBefore: .nothingToDo
      }
  }
}
