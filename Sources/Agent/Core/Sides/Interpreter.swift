import FoundationEssentials
import Shared

/// The Python that a job's environments are made with.
struct Interpreter: Equatable {
  var path: String
  /// Such as `3.12.3`.
  var version: String
  /// Why another one than the asked one stands in.
  var note: String?

  /// Finds the asked Python: an absolute path, one that is installed, one that uv can fetch, or the system's stand-in.
  static func find(_ asked: String, fallbackToSystem: Bool, tools: SetupTools) throws -> Interpreter {
    guard !asked.isEmpty, !asked.hasPrefix("-"), asked.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) else {
      throw SideProblem.invalidPath(asked)
    }
    if asked.hasPrefix("/") {
      guard let found = try probe(asked, tools: tools) else {
        throw SideProblem.pythonNotFound(asked, outputTail: "there is no interpreter that runs at this path")
      }
      return found
    }
    if let found = try present(asked, tools: tools) { return found }
    // No retries: where there is no way out it fails at once, and where there is one a second run tries again.
    let fetched = try tools.run(
      "uv", ["python", "install", asked], doing: "fetching Python \(asked)",
      extra: ["UV_HTTP_RETRIES": "0"])
    if fetched.succeeded, let found = try installed(asked, tools: tools) { return found }
    let reason = reasonWords(of: fetched)
    guard fallbackToSystem else { throw SideProblem.pythonNotFound(asked, outputTail: reason) }
    return try system(insteadOf: asked, because: reason, tools: tools)
  }

  /// One that is on the machine already: known to uv, or made by pyenv, whose own versions uv does not look through.
  static func present(_ asked: String, tools: SetupTools) throws -> Interpreter? {
    if let found = try installed(asked, tools: tools) { return found }
    return try madeByPyenv(asked, tools: tools)
  }

  /// The newest of pyenv's versions that `asked`, such as `3.12`, is the start of.
  private static func madeByPyenv(_ asked: String, tools: SetupTools) throws -> Interpreter? {
    guard asked.allSatisfy({ $0.isNumber || $0 == "." }) else { return nil }
    let root = tools.environment["PYENV_ROOT"] ?? (tools.environment["HOME"] ?? "") + "/.pyenv"
    // No pyenv: no versions.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root + "/versions")) ?? []
    let fitting = names.filter { $0 == asked || $0.hasPrefix(asked + ".") }.sorted {
      numbers($0).lexicographicallyPrecedes(numbers($1))
    }
    guard let newest = fitting.last else { return nil }
    return try probe("\(root)/versions/\(newest)/bin/python3", tools: tools)
  }

  private static func numbers(_ version: String) -> [Int] { version.split(separator: ".").compactMap { Int($0) } }

  private static func installed(_ asked: String, tools: SetupTools) throws -> Interpreter? {
    let outcome = try tools.run(
      "uv", ["python", "find", "--no-project", "--system", asked], doing: "looking for Python \(asked)",
      extra: ["UV_PYTHON_DOWNLOADS": "never"])
    let path = outcome.outputText.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
    guard outcome.succeeded, path.hasPrefix("/") else { return nil }
    return try probe(path, tools: tools)
  }

  private static func system(insteadOf asked: String, because reason: String, tools: SetupTools) throws -> Interpreter {
    for candidate in ["/usr/bin/python3", "python3"] {
      guard let path = Executable.find(candidate, path: tools.environment["PATH"] ?? ""),
        var found = try probe(path, tools: tools), found.isSupported
      else { continue }
      found.note =
        "Python \(asked) can't be had on the benchmark host (\(reason)); the system's \(found.version) stands in"
      return found
    }
    throw SideProblem.pythonNotFound(asked, outputTail: reason + "\nand there is no system python3 of 3.9 or later")
  }

  /// What a program says of itself, or `nil` when it is no Python that runs.
  private static func probe(_ path: String, tools: SetupTools) throws -> Interpreter? {
    guard Executable.find(path, path: "") != nil else { return nil }
    let outcome = try tools.run(
      path,
      ["-I", "-c", "import os, platform, sys; print(os.path.realpath(sys.executable), platform.python_version())"],
      doing: "asking \(path) for its version", limitSeconds: 30)
    let words = outcome.outputText.filter { !$0.isNewline }
    guard outcome.succeeded, let space = words.lastIndex(of: " ") else { return nil }
    return Interpreter(path: String(words[..<space]), version: String(words[words.index(after: space)...]), note: nil)
  }

  /// The oldest Python that the embedded helpers are written for is 3.9.
  private var isSupported: Bool {
    let parts = version.split(separator: ".").compactMap { Int($0) }
    return parts.count >= 2 && (parts[0] > 3 || (parts[0] == 3 && parts[1] >= 9))
  }

  /// The one line of uv's complaint that says why.
  private static func reasonWords(of outcome: ChildProcess.Outcome) -> String {
    let words = outcome.outputTail()
    if SetupTools.speakOfNetwork(words) { return "it is not installed, and there is no network to fetch it" }
    let line = words.split(separator: "\n").first.map(String.init) ?? "uv \(outcome.end.words)"
    return line.hasPrefix("error: ") ? String(line.dropFirst(7)) : line
  }
}
