import FoundationEssentials
import Glibc
import Shared

/// The exact versions that a side is installed with: one `name==version` a line, without a side's own folder.
struct DependencyLock: Equatable {
  var path: String
  var lines: [String]

  /// The version that was chosen for `name`, as `name==version`.
  func pinned(_ name: String) -> String? {
    lines.first { line in
      line.firstRange(of: "==").map { Requirement.normalised(line[..<$0.lowerBound]) == name } ?? false
    }
  }
}

/// Resolves dependencies with uv, and keeps the answer.
///
/// An answer holds for a day: long enough that a second run starts at once, short enough that a new release of a dependency
/// is not missed for good. After that it is asked again; where the index can't be reached the old answer still serves.
/// A requirement that names no exact release is asked each time.
struct DependencyResolver {
  static let freshSeconds: Double = 24 * 3600

  let home: AgentHome
  let tools: SetupTools
  let interpreter: Interpreter
  let requirements: [Requirement]
  var folder: String { "\(home.environments)/locks" }

  /// - Parameter preferred: the base's answer: its versions are kept wherever the head's own requirements allow.
  func resolve(_ code: SideCode, preferring preferred: DependencyLock?) throws -> DependencyLock {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let input = ([code.requirementLine] + requirements.map(\.text)).joined(separator: "\n") + "\n"
    let key = SHA256.hex(
      (["1", interpreter.path, interpreter.version, code.identity ?? "", input] + (preferred?.lines ?? []))
        .joined(separator: "\n").utf8
    ).prefix(40)
    let path = "\(folder)/\(key).txt"
    // Two that ask for the same would write into one file.
    let lock = try SetupLock(
      path: path + ".lock", doing: "waiting for another resolution", limitSeconds: tools.limitSeconds)
    defer { extendLifetime(lock) }
    let kept = try keptLock(at: path)
    if let kept, kept.isFresh, requirements(of: code).allSatisfy(\.isExact) { return kept.lock }
    do {
      return try compile(input, to: path, code: code, preferring: preferred)
    } catch SideProblem.noNetwork(let doing, let words) {
      guard let kept else { throw SideProblem.noNetwork(doing: doing, outputTail: words) }
      return kept.lock
    }
  }

  private func requirements(of code: SideCode) -> [Requirement] {
    if case .release(let requirement) = code.form { [requirement] } else { [] }
  }

  private func keptLock(at path: String) throws -> (lock: DependencyLock, isFresh: Bool)? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    let age = (attributes[.modificationDate] as? Date).map { -$0.timeIntervalSinceNow } ?? .infinity
    return (try read(path), (0..<Self.freshSeconds).contains(age))
  }

  private func read(_ path: String) throws -> DependencyLock {
    let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    return DependencyLock(path: path, lines: text.split(separator: "\n").map(String.init))
  }

  private func compile(
    _ input: String, to path: String, code: SideCode, preferring preferred: DependencyLock?
  ) throws -> DependencyLock {
    let working = "\(path).part"
    // uv takes the versions that stand in its output file as its first choice.
    try Self.write(preferred?.lines ?? [], to: working)
    let doing = "resolving the dependencies of \(code.plan.label)"
    let outcome = try tools.run(
      "uv",
      ["pip", "compile", "--quiet", "--no-header", "--no-annotate", "--python", interpreter.path]
        + ["--output-file", working, "-"], doing: doing, input: input, extra: code.buildEnvironment)
    guard outcome.succeeded else { throw Self.problem(of: outcome, code: code, doing: doing) }
    let lines = try read(working).lines.filter { !$0.hasPrefix("-e ") && !$0.hasPrefix("#") && !$0.isEmpty }
    try Self.write(lines, to: working)
    guard rename(working, path) == 0 else {
      throw SideProblem.stepFailed(doing: doing, outputTail: "\(path): \(String(cString: strerror(errno)))")
    }
    return DependencyLock(path: path, lines: lines)
  }

  private static func write(_ lines: [String], to path: String) throws {
    try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(filePath: path))
  }

  private static func problem(of outcome: ChildProcess.Outcome, code: SideCode, doing: String) -> SideProblem {
    let words = outcome.outputTail(lines: 12)
    if SetupTools.speakOfNetwork(words) { return .noNetwork(doing: doing, outputTail: words) }
    if case .release(let requirement) = code.form {
      let gone = [
        "no version of \(requirement.text)", "\(requirement.name) was not found", "no versions of \(requirement.name)",
      ]
      if gone.contains(where: words.contains) {
        return .releaseNotFound(requirement: requirement.text, outputTail: words)
      }
    }
    let builds = ["Failed to build", "Build backend failed", "build_editable", "prepare_metadata"]
    return builds.contains(where: words.contains)
      ? .notInstalled(label: code.plan.label, outputTail: words)
      : .dependenciesNotResolved(label: code.plan.label, outputTail: words)
  }
}
