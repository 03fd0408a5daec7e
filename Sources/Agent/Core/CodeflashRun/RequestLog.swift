import FoundationEssentials
import Glibc
import Shared

/// A request that codeflash made of its service, as `replay_service.py` logs it.
struct LoggedRequest: Decodable, Equatable {
  /// Seconds of `CLOCK_MONOTONIC`, as ``MonotonicClock``.
  var start: Double
  var end: Double
  var method: String
  var endpoint: String
  var function: String?
  var status: Int
  /// Whether no recording answers it.
  var unknown: Bool?
  /// Whether it came with another key than the run's.
  var refused: Bool?
  /// What the service itself failed with.
  var failure: String?
  /// Why the real service could not be asked.
  var upstreamFailure: String?
  /// The start of a request that was not answered.
  var request: String?
  /// `nil` too for one that this release can't read.
  var report: Report? { body?.value }
  private var body: Readable?

  private struct Readable: Decodable, Equatable {
    var value: Report?
    // Another release's report may look otherwise: it then says nothing of what was taken.
    init(from decoder: any Decoder) { value = try? Report(from: decoder) }
  }

  /// The parts of `/ai/log_features` and `/cfapi/mark-as-success` that tell what was accepted. A ratio is how much
  /// faster, less one.
  struct Report: Decodable, Equatable {
    var is_optimization_found: Bool?
    var speedup_ratio: [String: Double?]?
    var metadata: Metadata?
    struct Metadata: Decodable, Equatable { var best_optimization_id: String? }
  }

  static let firstLayer: Set<String> = ["/ai/optimize", "/ai/testgen"]
  /// Asked only where codeflash reports about itself.
  static let telemetry = "/cfapi/cli-get-user"
  static let afterBaseline = "/ai/optimize-line-profiler"
  static let closing: Set<String> = [
    "/ai/rank", "/ai/log_features", "/ai/explain", "/ai/optimization_review", "/cfapi/mark-as-success",
  ]
}

/// The requests of one run of codeflash, and what they tell.
struct RequestLog: Equatable {
  var requests: [LoggedRequest]
  /// Lines that can't be read: what stood there is not known, so the run can't be judged.
  var unreadable = 0

  /// Reads and empties the service's log: the next run starts a new one.
  static func take(from path: String) -> RequestLog {
    // No file is no request: a breakage of its own.
    guard let bytes = try? Data(contentsOf: URL(filePath: path)) else { return RequestLog(requests: []) }
    // The service appends, so an emptied file goes on at its start.
    _ = truncate(path, 0)
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    // Counted below: the service writes whole lines, except on a full disk.
    let requests = lines.compactMap { try? JSONDecoder().decode(LoggedRequest.self, from: Data($0)) }
    return RequestLog(requests: requests, unreadable: lines.count - requests.count)
  }

  /// Without what an earlier run, ended by its limit, still asked.
  func since(_ start: Double) -> RequestLog {
    RequestLog(requests: requests.filter { $0.start >= start }, unreadable: unreadable)
  }

  /// Whether codeflash says that it took a candidate.
  var accepted: Bool { requests.contains { $0.report?.is_optimization_found == true } }
  /// The candidate that it took, and how many times as fast it says that is.
  var best: (candidate: String, speedup: Double?)? {
    guard let report = requests.last(where: { $0.endpoint == "/ai/log_features" })?.report,
      let id = report.metadata?.best_optimization_id
    else { return nil }
    return (id, report.speedup_ratio?[id].flatMap { $0 }.map { $0 + 1 })
  }
  /// Whether the function's own tests ran and were timed: only then codeflash asks for more candidates by line profile.
  var hasBaseline: Bool { requests.contains { $0.endpoint == LoggedRequest.afterBaseline } }

  /// The parts of a run from `start` to `end` (monotonic seconds), by what was asked when.
  func phases(from start: Double, to end: Double) -> [RunPhase] {
    guard let first = requests.first(where: { $0.endpoint.hasPrefix("/ai/") }) else {
      return [RunPhase(name: "until the end, without a request", seconds: end - start)]
    }
    var phases = [RunPhase(name: "discovery and context", seconds: max(0, first.start - start))]
    var at = first.start
    func close(_ name: String, at time: Double) {
      phases.append(RunPhase(name: name, seconds: max(0, time - at)))
      at = max(at, time)
    }
    let generated = requests.filter { LoggedRequest.firstLayer.contains($0.endpoint) }.map(\.end).max()
    close("generation", at: generated ?? at)
    guard let baseline = requests.first(where: { $0.endpoint == LoggedRequest.afterBaseline }) else {
      close("tests", at: end)
      return phases
    }
    close("tests and baseline", at: baseline.start)
    let closing = requests.first { LoggedRequest.closing.contains($0.endpoint) }
    close("tests and benchmarks of candidates", at: closing?.start ?? end)
    if closing != nil { close("ranking and report", at: end) }
    return phases
  }
}
