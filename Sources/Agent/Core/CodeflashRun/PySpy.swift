import FoundationEssentials
import Shared

/// py-spy's `raw` output: one line a stack, frames outermost first with `;` between them, then how often it was seen.
struct PySpy {
  /// Looks per second.
  static let rate = 100

  static func words(_ program: [String], tools: ProfilerTools, output: String) -> [String] {
    [
      tools.pySpy, "record", "--rate", "\(rate)", "--idle", "--threads", "--format", "raw", "--output", output, "--",
    ] + program
  }

  /// The main thread's stacks: what the run waited for and what it did. Other threads only wait along.
  static func mainThread(_ text: String) -> [(frames: [StackProfile.StackFrame], seconds: Double)] {
    text.split(separator: "\n").compactMap { line in
      guard let space = line.lastIndex(of: " "), let count = Int(line[line.index(after: space)...]) else { return nil }
      var parts = line[..<space].split(separator: ";")
      guard let thread = parts.first, thread.hasSuffix("MainThread") else { return nil }
      parts.removeFirst()
      return (parts.map(frame), Double(count) / Double(rate))
    }
  }

  /// `name (file:line)`.
  private static func frame(_ text: Substring) -> StackProfile.StackFrame {
    guard text.hasSuffix(")"), let open = text.lastIndex(of: "("), text[..<open].last == " " else {
      return .init(name: String(text), file: "", line: 0)
    }
    let name = String(text[..<open].dropLast())
    let place = text[text.index(after: open)...].dropLast()
    guard let colon = place.lastIndex(of: ":"), let line = Int(place[place.index(after: colon)...]) else {
      return .init(name: name, file: String(place), line: 0)
    }
    return .init(name: name, file: String(place[..<colon]), line: line)
  }
}

/// Sorts a run's time into the steps of codeflash's work, by the functions on the main thread's stack. The names are those
/// of releases 0.18 to 0.20; time under none of them is `other`.
enum CodeflashPhases {
  private static let steps: [(name: String, functions: Set<String>)] = [
    ("benchmarking", ["run_benchmarking_tests", "run_line_profile_tests"]),
    (
      "tests",
      ["run_behavioral_tests", "run_and_parse_tests", "parse_test_results", "compare_test_results"]
    ),
    (
      "ranking",
      [
        "generate_ranking", "get_optimization_review", "get_new_explanation", "log_results",
        "mark_optimization_success",
        "log_successful_optimization", "process_review",
      ]
    ),
    (
      "generation",
      [
        "optimize_code", "optimize_python_code", "generate_regression_tests", "generate_tests_and_optimizations",
        "generate_tests", "generate_optimizations", "optimize_code_refinement", "code_repair",
        "optimize_python_code_line_profiler", "instrument_existing_tests",
      ]
    ),
    ("context", ["get_code_optimization_context"]),
    (
      "discovery",
      [
        "get_functions_to_optimize", "get_optimizable_functions", "discover_unit_tests", "discover_tests",
        "find_all_functions_in_file", "build_index", "find_and_load_closest_config",
      ]
    ),
  ]

  /// Each step with its seconds, in the order of the work; only those that took time.
  static func sort(_ stacks: [(frames: [StackProfile.StackFrame], seconds: Double)]) -> [RunPhase] {
    var seconds: [String: Double] = [:]
    for stack in stacks { seconds[step(of: stack.frames), default: 0] += stack.seconds }
    let order = ["imports", "discovery", "context", "generation", "tests", "benchmarking", "ranking", "other"]
    return order.compactMap { name in seconds[name].map { RunPhase(name: name, seconds: $0) } }
  }

  private static func step(of frames: [StackProfile.StackFrame]) -> String {
    let names = Set(frames.map { String($0.name.split(separator: ".").last ?? "") })
    if let step = steps.first(where: { !$0.functions.isDisjoint(with: names) }) { return step.name }
    return frames.contains { $0.file.hasPrefix("<frozen importlib") } ? "imports" : "other"
  }
}
