import FoundationEssentials

/// The files of Python that the agent brings along, by the name that they have on the benchmark host.
enum EmbeddedScript: String {
  /// Imported by the worker of layer 2: it must stand beside it.
  case benchmarkSuite = "benchmark_suite.py"
  case harnessSettings = "harness_settings.py"
  case loopingTime = "looping_time.py"
  case memoryReport = "memory_report.py"
  case memoryWorker = "memory_worker.py"
  case microTurns = "micro_turns.py"
  case microWorker = "micro_worker.py"
  /// Requirements, and no program.
  case profilers = "profilers.txt"
  case remeasure = "remeasure.py"
  case replayService = "replay_service.py"
  /// Imported by the workers: it must stand beside them.
  case sourceNames = "source_names.py"

  private var content: [UInt8] {
    switch self {
    case .benchmarkSuite: PackageResources.benchmark_suite_py
    case .harnessSettings: PackageResources.harness_settings_py
    case .loopingTime: PackageResources.looping_time_py
    case .memoryReport: PackageResources.memory_report_py
    case .memoryWorker: PackageResources.memory_worker_py
    case .microTurns: PackageResources.micro_turns_py
    case .microWorker: PackageResources.micro_worker_py
    case .profilers: PackageResources.profilers_txt
    case .remeasure: PackageResources.remeasure_py
    case .replayService: PackageResources.replay_service_py
    case .sourceNames: PackageResources.source_names_py
    }
  }

  /// Puts the file into a folder for an interpreter to read, and says where it is.
  @discardableResult
  func write(into folder: String) throws -> String {
    let path = "\(folder)/\(rawValue)"
    try Data(content).write(to: URL(filePath: path))
    return path
  }
}
