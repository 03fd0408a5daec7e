import FoundationEssentials
import Shared

/// Makes the virtual environment of a side, or finds the one that was made before.
struct EnvironmentBuilder {
  let home: AgentHome
  let tools: SetupTools
  let interpreter: Interpreter

  /// Stands in a finished environment; written last, so that a killed build is never taken for whole.
  struct Marker: Codable, Equatable {
    var interpreterVersion: String
    var identity: String
    var distributions: [String]
  }

  struct Built {
    var path: String
    var marker: Marker
    var reused: Bool
  }

  /// - Parameters:
  ///   - identity: what the code is, in full; part of the environment's name.
  ///   - arm: a control has an environment of its own, whatever else has the same code.
  func build(
    _ code: SideCode, identity: String, lock: DependencyLock, arm: Arm = .base, started: () throws -> Void
  ) throws -> Built {
    // A virtual environment can't be moved, so it is built where it will stand: 40 digits, the same length on all sides.
    let key = SHA256.hex(
      (["1", interpreter.path, interpreter.version, identity, code.requirementLine] + lock.lines
        + (arm == .copy ? ["copy"] : []))
        .joined(separator: "\n").utf8
    ).prefix(40)
    let path = "\(home.environments)/\(key)"
    let held = try SetupLock(
      path: "\(path).lock", doing: "waiting for another job's environment", limitSeconds: tools.limitSeconds)
    defer { extendLifetime(held) }
    if let marker = readMarker(of: path) {
      home.markUsed(path)
      return Built(path: path, marker: marker, reused: true)
    }
    try started()
    try FileManager.default.removeIfThere(path)
    _ = try tools.mustRun(
      "uv", ["venv", "--quiet", "--no-project", "--python", interpreter.path, path], doing: "making an environment")
    try install(code, lock: lock, into: path)
    let marker = Marker(
      interpreterVersion: interpreter.version, identity: identity, distributions: try distributions(in: path))
    try DurableFile.write(Array(try JSONEncoder().encode(marker)), to: markerPath(of: path), mode: 0o644)
    return Built(path: path, marker: marker, reused: false)
  }

  private func install(_ code: SideCode, lock: DependencyLock, into path: String) throws {
    let doing = "installing \(code.plan.label)"
    var arguments = ["pip", "install", "--quiet", "--no-deps", "--compile-bytecode", "--python", "\(path)/bin/python"]
    if !lock.lines.isEmpty { arguments += ["--requirement", lock.path] }
    if case .folder(let folder) = code.form { arguments += ["--editable", folder] }
    let outcome = try tools.run("uv", arguments, doing: doing, extra: code.buildEnvironment)
    guard outcome.succeeded else {
      let words = outcome.outputTail(lines: 12)
      throw SetupTools.speakOfNetwork(words)
        ? SideProblem.noNetwork(doing: doing, outputTail: words)
        : SideProblem.notInstalled(label: code.plan.label, outputTail: words)
    }
  }

  private func distributions(in path: String) throws -> [String] {
    struct Distribution: Decodable {
      var name: String
      var version: String
    }
    let doing = "listing what is installed"
    let outcome = try tools.mustRun(
      "uv", ["pip", "list", "--quiet", "--format", "json", "--python", "\(path)/bin/python"], doing: doing)
    do {
      return try JSONDecoder().decode([Distribution].self, from: Data(outcome.output))
        .map { "\(Requirement.normalised($0.name))==\($0.version)" }.sorted()
    } catch {
      throw SideProblem.stepFailed(doing: doing, outputTail: "uv's list can't be read: \(outcome.outputTail(lines: 2))")
    }
  }

  private func markerPath(of path: String) -> String { "\(path)/cf-bench-complete.json" }

  /// No marker, or one that can't be read: the environment is built again.
  private func readMarker(of path: String) -> Marker? {
    guard let data = try? Data(contentsOf: URL(filePath: markerPath(of: path))) else { return nil }
    return try? JSONDecoder().decode(Marker.self, from: data)
  }
}
