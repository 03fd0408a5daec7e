/// Why a run says nothing about what codeflash can find.
enum Breakage: Equatable {
  /// It asked for what is not recorded.
  case unrecorded(LoggedRequest)
  case fullDisk
  case keyRefused
  /// The live service can't be reached.
  case unreachable(String)
  case standInFailed(String)
  case standInEnded
  case timedOut
  /// Codeflash ended with an error: how, and its last output.
  case failed(String)
  case noRequest(String)
  /// Lines of the stand-in's log, by which a run is judged, can't be read.
  case unreadableLog(lines: Int)
  case testsFailed(String)
  /// Its tests don't run with the pytest that is installed.
  case newPytest(String)
  /// The function's file is another one, and nothing says that a candidate was taken.
  case unreportedChange(file: String)

  /// `nil` when a run can be judged.
  init?(_ record: CodeflashRunner.Record) {
    let requests = record.log.requests
    if let unknown = requests.first(where: { $0.unknown == true }) {
      self = .unrecorded(unknown)
    } else if record.freeBytes < 1 << 20 || record.words.contains(where: { $0.contains("No space left on device") }) {
      self = .fullDisk
    } else if requests.contains(where: { $0.refused == true || $0.status == 401 || $0.status == 403 }) {
      self = .keyRefused
    } else if let failure = requests.lazy.compactMap(\.upstreamFailure).first {
      self = .unreachable(failure)
    } else if let failure = requests.lazy.compactMap(\.failure).first {
      self = .standInFailed(failure)
    } else if record.serviceEnded {
      self = .standInEnded
    } else if record.outcome.end == .timedOut {
      self = .timedOut
    } else if !record.outcome.succeeded {
      self = .failed("\(record.outcome.end.words): \(Self.outputTail(record))")
    } else if record.log.unreadable > 0 {
      self = .unreadableLog(lines: record.log.unreadable)
    } else if requests.isEmpty {
      self = .noRequest(Self.outputTail(record))
    } else if record.log.accepted || record.log.hasBaseline {
      return nil
    } else {
      let words = record.testComplaint ?? Self.outputTail(record)
      // The attribute that pytest 9.2 took from what codeflash's own plugin works on.
      self = words.contains("'_nodeid'") ? .newPytest(words) : .testsFailed(words)
    }
  }

  private static func outputTail(_ record: CodeflashRunner.Record) -> String {
    // A profiler that runs along has its say in the end.
    let lines = record.words.filter { line in line.contains(where: \.isLetter) && !line.hasPrefix("py-spy>") }
    return lines.isEmpty ? "it printed nothing" : lines.suffix(3).joined(separator: " / ")
  }

  var reason: String {
    switch self {
    case .unrecorded(let request):
      "codeflash asked what no recording answers: \(request.method) \(request.endpoint)"
        + (request.function.map { " about \($0)" } ?? "") + (request.request.map { ": \($0.prefix(400))" } ?? "")
    case .fullDisk: "the disk is full where it ran"
    case .keyRefused: "the service refused the key"
    case .unreachable(let failure): "the live service can't be reached: \(failure)"
    case .standInFailed(let failure): "the stand-in of its service failed: \(failure)"
    case .standInEnded: "the stand-in of its service ended in the middle of the run"
    case .timedOut: "it took longer than its time limit"
    case .failed(let words): "it \(words)"
    case .noRequest(let words): "it made no request of its service: \(words)"
    case .unreadableLog(let lines):
      "the log of its requests can't be read in \(lines) \(lines == 1 ? "line" : "lines")"
    case .testsFailed(let words), .newPytest(let words): "it could not run the tests of the function: \(words)"
    case .unreportedChange(let file): "it changed \(file) without a report that a candidate was taken"
    }
  }

  /// What a person can do about it.
  var fix: String {
    switch self {
    case .unrecorded:
      "record it from the live service with 'cf-bench record', or add the answer to the project's recordings"
    case .fullDisk: "make room on the benchmark host: df -h ~/.cf-bench"
    case .keyRefused: "check \(Secrets.codeflashKey); codeflash's site makes new ones"
    case .unreachable:
      "check optimize.live-address and the network of the benchmark host, or wait until the service is back"
    case .standInFailed, .standInEnded: "see whether something on the benchmark host ends processes (memory, limits)"
    case .timedOut: "raise it with --set optimize.timeout=10m, or see what holds it up"
    case .unreadableLog: "see whether the benchmark host has room on its disk, and run it again"
    case .newPytest:
      "this release of codeflash can't work with pytest 9.2 or later: --set 'target.requirements=pytest<9.2'"
    case .failed, .noRequest, .testsFailed, .unreportedChange:
      "run codeflash by hand on the project, as docs/replay.md says, and read what it prints"
    }
  }
}
