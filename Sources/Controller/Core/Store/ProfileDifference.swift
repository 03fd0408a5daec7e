import Shared

/// How the profile of one micro target differs between the sides, function by function.
struct ProfileDifference: Equatable, Sendable {
  var metric: String
  var python: String
  /// Functions with the largest change of self time per call of the target first.
  var changes: [Change]

  struct Change: Equatable, Sendable {
    var name: String
    /// Self seconds per call of the target; `nil` when the function is not among the side's top ones.
    var base: Double?
    var head: Double?
    /// First line of the function on the head's side; `nil` where it is not known.
    var line: Int?
    var difference: Double { (head ?? 0) - (base ?? 0) }
  }

  /// One difference a target and Python that was profiled on both sides, in the order measured.
  static func all(from record: JobRecord) -> [ProfileDifference] {
    record.profiles.filter { $0.side == .head }.compactMap { head in
      record.profile(.base, metric: head.metric, python: head.python).map { ProfileDifference(base: $0, head: head) }
    }
  }

  init(base: FunctionProfile, head: FunctionProfile) {
    metric = head.metric
    python = head.python
    let (before, after) = (Self.perCall(base), Self.perCall(head))
    let lines = Dictionary(head.functions.map { ($0.name, $0.line) }) { first, _ in first }
    changes = Set(before.keys).union(after.keys)
      .map { Change(name: $0, base: before[$0], head: after[$0], line: lines[$0].flatMap { $0 > 0 ? $0 : nil }) }
      .filter { abs($0.difference) >= Self.clockStep }
      .sorted { (abs($0.difference), $1.name) > (abs($1.difference), $0.name) }
  }

  /// A nanosecond, in seconds: no profiler's clock sees less.
  private static let clockStep = 1e-9

  /// Functions that share a name and file, such as the methods of two classes, count as one: names are all there is to
  /// hold the sides against each other.
  private static func perCall(_ profile: FunctionProfile) -> [String: Double] {
    guard profile.calls > 0 else { return [:] }
    let pairs = profile.functions.map { ($0.name, $0.selfSeconds / Double(profile.calls)) }
    return Dictionary(pairs, uniquingKeysWith: +)
  }
}
