import FoundationEssentials
import Shared

/// Prepares a job's sides: finds their code, resolves their dependencies together, and installs each in an environment of
/// its own.
struct SideBuilder {
  private let manifest: JobManifest
  private let home: AgentHome
  private let sink: any EventSink
  private let tools: SetupTools
  /// Found once: a branch that moves in the middle of a job must not give two interpreters two revisions.
  private var found: Result<[SideCode], any Error>?
  private var interpreters: [String: Result<Interpreter, any Error>] = [:]

  init(manifest: JobManifest, home: AgentHome, environment: [String: String], sink: any EventSink) {
    self.manifest = manifest
    self.home = home
    self.sink = sink
    self.tools = SetupTools(
      environment: environment, home: home, limitSeconds: manifest.limits.setupSeconds)
  }

  /// The sides of one interpreter, base first, and the base a second time where that was asked for.
  struct Prepared {
    var sides: [SideEnvironment] = []
    var copy: SideEnvironment?
  }

  /// Prepares all sides for one interpreter. Says with `phase` what it is at and with `sideReady` what stands.
  /// - Parameters:
  ///   - python: a version as uv understands it, or an absolute path.
  ///   - withCopy: whether the base of a comparison is installed a second time, as a control.
  /// - Throws: a `UserFacingError` when a side can't be had: ``StorageFailure`` where the disk is full.
  mutating func prepare(python: String, withCopy: Bool = false) throws -> Prepared {
    do {
      return try prepareAll(python: python, withCopy: withCopy)
    } catch {
      if let full = StorageFailure(full: error, at: home.path) { throw full }
      guard !(error is any UserFacingError) else { throw error }
      // What Foundation says of files, such as of a folder that may not be written.
      throw SideProblem.stepFailed(
        doing: "preparing the sides under \(home.path)", outputTail: SystemErrorText.describe(error))
    }
  }

  private mutating func prepareAll(python: String, withCopy: Bool) throws -> Prepared {
    try makeFolders()
    let requirements = try manifest.requirements.map { try Requirement($0) }
    try phase("looking for Python \(python)")
    let interpreter = try findInterpreter(python, with: tools)
    let codes = try findCode(with: tools)
    let resolver = DependencyResolver(
      home: home, tools: tools, interpreter: interpreter, requirements: requirements)
    var base: DependencyLock?
    var prepared = Prepared()
    for code in codes {
      let started = MonotonicClock.seconds
      try phase("resolving the dependencies of \(code.plan.label)", code.plan.side)
      let lock = try resolver.resolve(code, preferring: base)
      base = base ?? lock
      let side = try build(code, lock: lock, python: python, interpreter: interpreter, started: started)
      prepared.sides.append(side)
      guard withCopy, codes.count > 1, side.arm == .base else { continue }
      try phase("installing \(code.plan.label) a second time, as a control", .base)
      let copy = try environmentBuilder(interpreter).build(
        code, identity: identity(of: code, lock: lock), lock: lock, arm: .copy
      ) {}
      prepared.copy = SideEnvironment(arm: .copy, label: "\(side.label) (again)", path: copy.path)
    }
    return prepared
  }

  /// Fetches everything that nothing of which runs: interpreters, and the sides' code. It needs the login's own rights, such
  /// as its keys for a repository. What fails is said when it is needed.
  /// - Parameter environment: the login's.
  mutating func gather(_ pythons: [String], environment: [String: String]) {
    let tools = SetupTools(environment: environment, home: home, limitSeconds: manifest.limits.setupSeconds)
    do { try makeFolders() } catch { return }  // the first side to be prepared meets it again
    for python in pythons { _ = try? findInterpreter(python, with: tools) }
    _ = try? findCode(with: tools)
  }

  private func makeFolders() throws {
    for folder in [home.repositories, home.checkouts, home.environments] {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
  }

  private mutating func findInterpreter(_ python: String, with tools: SetupTools) throws -> Interpreter {
    if let known = interpreters[python] { return try known.get() }
    let fallback = manifest.python.fallbackToSystem
    let found = Result { try Interpreter.find(python, fallbackToSystem: fallback, tools: tools) }
    interpreters[python] = found
    return try found.get()
  }

  private mutating func findCode(with tools: SetupTools) throws -> [SideCode] {
    if let found { return try found.get() }
    let fetcher = CodeFetcher(home: home, tools: tools)
    let codes = Result {
      try manifest.sides.map { plan in
        try phase("fetching \(plan.label)", plan.side)
        return try fetcher.fetch(plan)
      }
    }
    found = codes
    return try codes.get()
  }

  private func build(
    _ code: SideCode, lock: DependencyLock, python: String, interpreter: Interpreter, started: Double
  ) throws -> SideEnvironment {
    let plan = code.plan
    let identity = identity(of: code, lock: lock)
    let built = try environmentBuilder(interpreter).build(code, identity: identity, lock: lock) {
      try phase("installing \(plan.label) for Python \(interpreter.version)", plan.side)
    }
    try sink.emit(
      .sideReady(
        SideReady(
          side: plan.side, label: plan.label, python: python, interpreterVersion: interpreter.version,
          interpreterNote: interpreter.note, interpreterBuild: interpreterBuild(built.path), commit: code.commit,
          identity: identity,
          distributions: built.marker.distributions, reused: built.reused,
          seconds: MonotonicClock.seconds - started, subject: code.subject, note: code.note)))
    return SideEnvironment(arm: Arm(plan.side), label: plan.label, path: built.path, folder: code.folder)
  }

  /// What the interpreter says of its own making; `nil` when it says nothing.
  private func interpreterBuild(_ environment: String) -> String? {
    let words = """
      import platform, sysconfig
      flags = (sysconfig.get_config_var("CONFIG_ARGS") or "").replace("'", "").split()
      kept = [flag for flag in flags if flag in ("--enable-optimizations", "--with-lto", "--disable-gil", "--with-pydebug")]
      print(platform.python_implementation(), platform.python_compiler(), *kept)
      """
    let asked = try? tools.run("\(environment)/bin/python", ["-I", "-c", words], doing: "asking the interpreter")
    guard let asked, asked.succeeded else { return nil }  // a remark less; what does not start shows itself soon
    return asked.outputText.split(whereSeparator: \.isNewline).first.map(String.init)
  }

  private func identity(of code: SideCode, lock: DependencyLock) -> String {
    switch code.form {
    case .release(let requirement): code.identity ?? lock.pinned(requirement.name) ?? requirement.text
    case .folder(let path): code.identity ?? path
    }
  }

  private func environmentBuilder(_ interpreter: Interpreter) -> EnvironmentBuilder {
    EnvironmentBuilder(home: home, tools: tools, interpreter: interpreter)
  }

  private func phase(_ text: String, _ side: Side? = nil) throws {
    try sink.emit(.phase(Phase(text: text, side: side)))
  }
}
