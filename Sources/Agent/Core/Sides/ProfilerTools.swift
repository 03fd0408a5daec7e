import FoundationEssentials
import Glibc
import Shared

/// Profilers in an environment of their own, one an interpreter, so that the sides stay as they are installed.
struct ProfilerTools: Equatable {
  static let memrayVersion = "1.20.0"
  static let pySpyVersion = "0.4.3"

  /// The environment's folder.
  var path: String
  var pySpy: String { path + "/bin/py-spy" }
  var interpreter: String { path + "/bin/python" }

  /// Where its packages are, for a side's own interpreter to find memray in.
  var packages: String {
    // An environment without it holds no packages either.
    let libraries = (try? FileManager.default.contentsOfDirectory(atPath: path + "/lib")) ?? []
    return "\(path)/lib/\(libraries.first { $0.hasPrefix("python") } ?? "python3")/site-packages"
  }

  /// Finds or makes it for the interpreter that `side` is made with.
  static func prepare(for side: SideEnvironment, in context: LayerContext) throws -> ProfilerTools {
    let requirements = ["memray==\(memrayVersion)", "py-spy==\(pySpyVersion)"]
    let interpreter = realPath(side.interpreter)
    let key = SHA256.hex((["profilers 1", interpreter] + requirements).joined(separator: "\n").utf8).prefix(40)
    let path = "\(context.home.environments)/\(key)"
    let tools = context.tools
    let lock = try SetupLock(
      path: "\(path).lock", doing: "waiting for another job's profilers", limitSeconds: tools.limitSeconds)
    defer { extendLifetime(lock) }
    let marker = path + "/cf-bench-complete.json"
    guard access(marker, F_OK) != 0 else { return ProfilerTools(path: path) }
    try FileManager.default.removeIfThere(path)
    _ = try tools.mustRun(
      "uv", ["venv", "--quiet", "--no-project", "--python", interpreter, path],
      doing: "making the profilers' environment")
    _ = try tools.mustRun(
      "uv",
      ["pip", "install", "--quiet", "--compile-bytecode", "--only-binary", ":all:", "--python", "\(path)/bin/python"]
        + requirements, doing: "installing the profilers")
    try Data("{}".utf8).write(to: URL(filePath: marker), options: .atomic)
    return ProfilerTools(path: path)
  }

  /// The same for the first side; `nil`, and said as a skipped `metric`, where they can't be had.
  static func orSkipped(_ metric: String, of layer: LayerName, in context: LayerContext) throws -> ProfilerTools? {
    guard let side = context.sides.first else { return nil }
    do { return try prepare(for: side, in: context) } catch let error as SideProblem {
      let names = "memray \(memrayVersion) and py-spy \(pySpyVersion)"
      try context.sink.emit(
        .skipped(
          Skipped(
            layer: layer, metric: metric, python: context.python, side: nil,
            reason: "\(names) can't be installed: \(error.why ?? error.what)")))
      return nil
    }
  }

  private static func realPath(_ path: String) -> String {
    guard let found = realpath(path, nil) else { return path }
    defer { free(found) }
    return String(cString: found)
  }
}
