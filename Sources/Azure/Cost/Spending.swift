import FoundationEssentials
import Shared

/// What the ledger here comes to: by run, and by month.
public struct Spending: Sendable, Equatable {
  public struct Run: Codable, Sendable, Equatable {
    public var run: String
    public var owner: String
    public var vm: String
    public var size: String?
    public var location: String?
    /// RFC 3339.
    public var from: String
    /// RFC 3339; of an open one, up to where it is counted.
    public var to: String
    public var seconds: Double
    public var usdPerHour: Double?
    public var usd: Double?
    /// `deallocated`, `leftOn`, `kept`, `nothingToDo`, or `open`: no stop is known.
    public var end: String

    public static let open = "open"
  }

  /// A VM's part of a month.
  public struct Part: Sendable, Equatable {
    public var seconds: Double = 0
    public var usd: Double = 0
    /// Seconds among them whose price is not known.
    public var unpricedSeconds: Double = 0

    public init(seconds: Double = 0, usd: Double = 0, unpricedSeconds: Double = 0) {
      self.seconds = seconds
      self.usd = usd
      self.unpricedSeconds = unpricedSeconds
    }
  }

  public private(set) var runs: [Run] = []
  /// By month, then by VM (`GROUP/NAME`).
  public private(set) var months: [String: [String: Part]] = [:]
  public private(set) var unreadable: Int

  /// How long after its lease a VM may be on: the watchdog looks each minute, and the lease counts a little longer than
  /// it says.
  private static let watchdogMargin: TimeInterval = 300

  private struct Piece {
    var vm: String
    var time: BilledTime
    var usdPerHour: Double?
  }

  /// - Parameter price: of an hour of compute, for lines that have none.
  public init(
    _ content: UsageLog.Content, at now: Date = .now, price: (_ size: String?, _ location: String?) -> Double?
  ) {
    unreadable = content.unreadable
    let offs = Self.offs(content)
    let ended = Dictionary(content.uses.map { ($0.run, $0) }) { first, _ in first }
    let starts = Dictionary(content.starts.map { ($0.run, $0) }) { first, _ in first }
    var pieces: [Piece] = []
    for use in content.uses {
      guard let from = Self.date(use.from), let to = Self.date(use.to) else { continue }
      let usdPerHour = use.usdPerHour ?? price(use.size, use.location)
      let vm = "\(use.group)/\(use.vm)"
      // A stop that was written long after a kill says when somebody looked, not when the VM went off.
      let lastMoment = starts[use.run].flatMap { Self.date($0.until) }.map { $0 + Self.watchdogMargin }
      var time = BilledTime(from: from, to: min(to, max(from, lastMoment ?? to)))
      if let until = use.keptUntil.flatMap(Self.date) {
        time.to = max(time.to, min(until, now, offs[vm]?.first { $0 >= to } ?? until))
      }
      pieces.append(Piece(vm: vm, time: time, usdPerHour: usdPerHour))
      runs.append(
        Run(
          run: use.run, owner: use.owner, vm: vm, size: use.size, location: use.location, from: use.from,
          to: Timestamp.rfc3339(time.to), seconds: time.seconds, usdPerHour: usdPerHour,
          usd: usdPerHour.map { $0 * time.seconds / 3600 }, end: use.outcome.rawValue))
    }
    for start in content.starts where ended[start.run] == nil {
      guard let from = Self.date(start.from), let until = Self.date(start.until) else { continue }
      let usdPerHour = price(start.size, start.location)
      let vm = "\(start.group)/\(start.vm)"
      let margin = start.kind == Lease.Kind.keep.rawValue ? 0 : Self.watchdogMargin
      let off = offs[vm]?.first { $0 >= from } ?? until + margin
      let time = BilledTime(from: from, to: min(off, until + margin, now))
      pieces.append(Piece(vm: vm, time: time, usdPerHour: usdPerHour))
      runs.append(
        Run(
          run: start.run, owner: start.owner, vm: vm, size: start.size, location: start.location, from: start.from,
          to: Timestamp.rfc3339(time.to), seconds: time.seconds, usdPerHour: usdPerHour,
          usd: usdPerHour.map { $0 * time.seconds / 3600 }, end: Run.open))
    }
    runs.sort { ($0.from, $0.run) < ($1.from, $1.run) }
    add(pieces)
  }

  /// Time that two commands had the VM at once is billed once.
  private mutating func add(_ pieces: [Piece]) {
    var covered: [String: Date] = [:]
    for piece in pieces.sorted(by: { $0.time.from < $1.time.from }) {
      let from = max(piece.time.from, covered[piece.vm] ?? piece.time.from)
      guard piece.time.to > from else { continue }
      covered[piece.vm] = piece.time.to
      for (month, seconds) in BilledTime(from: from, to: piece.time.to).months {
        var part = months[month, default: [:]][piece.vm] ?? Part()
        part.seconds += seconds
        part.usd += (piece.usdPerHour ?? 0) * seconds / 3600
        if piece.usdPerHour == nil { part.unpricedSeconds += seconds }
        months[month, default: [:]][piece.vm] = part
      }
    }
  }

  /// When each VM is known to have been off, in order.
  private static func offs(_ content: UsageLog.Content) -> [String: [Date]] {
    var offs: [String: [Date]] = [:]
    for use in content.uses + content.offs where use.outcome == .deallocated {
      if let moment = date(use.to) { offs["\(use.group)/\(use.vm)", default: []].append(moment) }
    }
    return offs.mapValues { $0.sorted() }
  }

  private static func date(_ text: String) -> Date? { try? Timestamp.date(text) }

  public func part(_ month: String, of vm: AzureVM) -> Part { months[month]?[vm.description] ?? Part() }
}
