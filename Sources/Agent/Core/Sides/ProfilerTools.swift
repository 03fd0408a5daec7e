import FoundationEssentials
import Glibc
import Shared

/// Profilers beside the sides, which stay as they are installed: the benchmark host's own where it has them in these versions (the
/// VM has), otherwise in an environment of their own, one an interpreter, from PyPI with every file by its hash.
struct ProfilerTools: Equatable {
  static let memrayVersion = "1.20.0"
  static let pySpyVersion = "0.4.3"

  /// The program.
  var pySpy: String
  /// A Python that has memray.
  var interpreter: String
  /// Where its packages are, for a side's own interpreter to find memray in.
  var packages: String

  /// Finds or makes them for the interpreter that `side` is made with.
  static func prepare(for side: SideEnvironment, in context: LayerContext) throws -> ProfilerTools {
    if let own = try onHost(for: side, in: context) { return own }
    let requirements = try EmbeddedScript.profilers.write(into: context.scratch)
    let interpreter = realPath(side.interpreter)
    let digest = SHA256.hex(try Data(contentsOf: URL(filePath: requirements)))
    let key = SHA256.hex(["profilers 2", interpreter, digest].joined(separator: "\n").utf8).prefix(40)
    let path = "\(context.home.environments)/\(key)"
    let tools = context.tools
    let lock = try SetupLock(
      path: "\(path).lock", doing: "waiting for another job's profilers", limitSeconds: tools.limitSeconds)
    defer { extendLifetime(lock) }
    let marker = path + "/cf-bench-complete.json"
    guard access(marker, F_OK) != 0 else { return ProfilerTools(environment: path) }
    try FileManager.default.removeIfThere(path)
    _ = try tools.mustRun(
      "uv", ["venv", "--quiet", "--no-project", "--python", interpreter, path],
      doing: "making the profilers' environment")
    _ = try tools.mustRun(
      "uv",
      ["pip", "install", "--quiet", "--compile-bytecode", "--only-binary", ":all:", "--require-hashes"]
        + ["--python", "\(path)/bin/python", "--requirement", requirements], doing: "installing the profilers")
    try DurableFile.write(Array("{}".utf8), to: marker, mode: 0o644)
    return ProfilerTools(environment: path)
  }

  init(pySpy: String, interpreter: String, packages: String) {
    self.pySpy = pySpy
    self.interpreter = interpreter
    self.packages = packages
  }

  private init(environment path: String) {
    // An environment without it holds no packages either.
    let libraries = (try? FileManager.default.contentsOfDirectory(atPath: path + "/lib")) ?? []
    self.init(
      pySpy: path + "/bin/py-spy", interpreter: path + "/bin/python",
      packages: "\(path)/lib/\(libraries.first { $0.hasPrefix("python") } ?? "python3")/site-packages")
  }

  /// Those of the benchmark host, if both are on its search path in these versions, and memray for the side's own Python: it is
  /// compiled for one.
  private static func onHost(for side: SideEnvironment, in context: LayerContext) throws -> ProfilerTools? {
    let search = context.tools.environment["PATH"] ?? ""
    guard let pySpy = Executable.find("py-spy", path: search), let memray = Executable.find("memray", path: search)
    else { return nil }
    let interpreter = AccessTree.parent(of: realPath(memray)) + "/python"
    guard access(interpreter, X_OK) == 0 else { return nil }
    func line(_ program: String, _ arguments: [String]) throws -> String? {
      let outcome = try context.tools.run(
        program, arguments, doing: "asking \(program) for its version", limitSeconds: 20)
      return outcome.succeeded ? String(outcome.outputText.prefix { !$0.isNewline }) : nil
    }
    let version = "import sys; print(*sys.version_info[:2], sys.implementation.cache_tag)"
    let place = "; import os, memray; print(memray.__version__, os.path.dirname(os.path.dirname(memray.__file__)))"
    let answer = try context.tools.run(
      interpreter, ["-I", "-c", version + place], doing: "asking for memray's version", limitSeconds: 20)
    let lines = answer.outputText.split(whereSeparator: \.isNewline)
    guard try line(pySpy, ["--version"]) == "py-spy \(pySpyVersion)", answer.succeeded, lines.count == 2,
      try line(side.interpreter, ["-I", "-c", version]) == String(lines[0]),
      lines[1].hasPrefix("\(memrayVersion) /")
    else { return nil }
    return ProfilerTools(
      pySpy: pySpy, interpreter: interpreter, packages: String(lines[1].dropFirst(memrayVersion.count + 1)))
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
