import FoundationEssentials
import Glibc
import Shared

/// Looks for everything that a job needs at this end, without doing any of it.
struct HostChecks {
  var home: AgentHome
  var environment: [String: String]

  private typealias Check = DoctorCheck

  func examine(_ request: DoctorRequest) -> [DoctorCheck] {
    let tools = [
      tool(.uv), hyperfine, tool(.git), tool(.tar),
    ]
    let interpreters = request.python.versions.map { interpreter($0, fallback: request.python.fallbackToSystem) }
    let network = [request.package.map(index), request.repository.map(repository)].compactMap(\.self)
    return tools + interpreters + network + [homeFolder, disk, execution, load, lock, confinement]
  }

  private func run(_ program: String, _ arguments: [String], limit: Double = 20) -> ChildProcess.Outcome? {
    let child = ChildProcess(
      program: program, arguments: arguments,
      environment: SetupTools(environment: environment, home: home, limitSeconds: limit).environment, directory: "/",
      limitSeconds: limit)
    guard let outcome = try? child.run(), outcome.succeeded else { return nil }  // the check then says "not found"
    return outcome
  }

  private func firstLine(_ outcome: ChildProcess.Outcome) -> String {
    String(outcome.outputText.prefix { !$0.isNewline })
  }

  private func tool(_ tool: HostTool) -> DoctorCheck {
    guard let outcome = run(tool.rawValue, ["--version"]) else {
      return Check(
        id: "far.\(tool.rawValue)", status: .failed, detail: "not found; it \(tool.purpose)", fix: tool.installation)
    }
    return Check(id: "far.\(tool.rawValue)", status: .ok, detail: firstLine(outcome))
  }

  private var hyperfine: DoctorCheck {
    let engine = TimingEngine.spawn.rawValue
    switch Hyperfine.Finding(environment, home: home) {
    case .good(let found):
      let isAdvised = found.number >= (1, 19)
      return Check(
        id: "far.hyperfine", status: isAdvised ? .ok : .warning, detail: found.version,
        fix: isAdvised ? nil : "works; 1.19 or later is advised, from its project page")
    case .missing:
      return Check(
        id: "far.hyperfine", status: .warning,
        detail: "not found; the agent times the commands of layer 1 itself (the engine '\(engine)')",
        fix: "for hyperfine: \(HostTool.hyperfine.installation)")
    case .old(let version):
      return Check(
        id: "far.hyperfine", status: .warning,
        detail: "\(version) is too old; the agent times the commands of layer 1 itself (the engine '\(engine)')",
        fix: "install a newer release from its project page")
    }
  }

  private func interpreter(_ version: String, fallback: Bool) -> DoctorCheck {
    let id = "far.python-\(version)"
    let tools = SetupTools(environment: environment, home: home, limitSeconds: 20, directory: "/")
    // What can't even be asked for is not there.
    if let found = (try? Interpreter.present(version, tools: tools)) ?? nil {
      return Check(id: id, status: .ok, detail: "\(found.path) (\(found.version))")
    }
    guard fallback, let system = run("python3", ["--version"]) else {
      return Check(
        id: id, status: .warning, detail: "not installed; uv will try to fetch it when it is needed",
        fix: "uv python install \(version)")
    }
    return Check(
      id: id, status: .warning, detail: "not installed; \(firstLine(system)) stands in if it can't be fetched",
      fix: "uv python install \(version)")
  }

  /// Whether uv, as this login has it set up, gets an answer of the package index.
  private func index(_ package: String) -> DoctorCheck {
    let id = "far.index"
    guard let requirement = try? Requirement(package) else {  // said in the check
      return Check(id: id, status: .skipped, detail: "not checked: '\(package)' is no name of a package")
    }
    let resolve = ["pip", "compile", "--quiet", "--no-header", "--no-deps", "--refresh", "-"]
    return reach(
      id, "the package index", by: "uv", resolve, input: requirement.name + "\n",
      harm: "what is kept in \(home.path) still works; other releases, dependencies and profilers can't be installed",
      fix: "set HTTPS_PROXY, or UV_DEFAULT_INDEX for a mirror, for that login")
  }

  private func repository(_ address: String) -> DoctorCheck {
    reach(
      "far.repository", address, by: "git", ["ls-remote", "--quiet", "--", address, "HEAD"],
      harm: "git refs are looked up there, unless --repository names a folder of the controller's machine",
      fix: "let that login reach it, or name a folder: --repository DIR")
  }

  private func reach(
    _ id: String, _ what: String, by program: String, _ arguments: [String], input: String = "", harm: String,
    fix: String
  ) -> DoctorCheck {
    let tools = SetupTools(environment: environment, home: home, limitSeconds: 15, directory: "/")
    let words: String
    do {
      let outcome = try tools.run(program, arguments, doing: "asking \(what)", input: input)
      if outcome.succeeded { return Check(id: id, status: .ok, detail: "\(what) answers") }
      // The cause comes first; what follows is advice.
      words =
        outcome.outputTail(lines: 8).split(whereSeparator: \.isNewline).first.map(String.init) ?? "no reason given"
    } catch { words = (error as? any UserFacingError)?.what ?? SystemErrorText.describe(error) }
    return Check(id: id, status: .warning, detail: "\(what) can't be reached: \(words)\n\(harm)", fix: fix)
  }

  private var homeFolder: DoctorCheck {
    _ = try? FileManager.default.createDirectory(atPath: home.path, withIntermediateDirectories: true)  // checked next
    guard access(home.path, W_OK) == 0 else {
      return Check(
        id: "far.home", status: .failed, detail: "\(home.path) can't be written",
        fix: "make it writable there, or set CF_BENCH_HOME for that login")
    }
    return Check(id: "far.home", status: .ok, detail: home.path)
  }

  private var disk: DoctorCheck {
    var space = statvfs()
    guard statvfs(home.path, &space) == 0 else {
      return Check(id: "far.disk", status: .warning, detail: "free space is not known", fix: "df -h \(home.path)")
    }
    let free = Double(space.f_bavail) * Double(space.f_frsize) / Double(1 << 30)
    let tenths = Int(free * 10)
    let detail = "\(tenths / 10).\(tenths % 10) GiB free in \(home.path)"
    if free >= 5 { return Check(id: "far.disk", status: .ok, detail: detail) }
    return Check(
      id: "far.disk", status: free < 0.5 ? .failed : .warning, detail: detail,
      fix: "make room: old jobs, environments and checkouts in \(home.path) may be deleted")
  }

  /// `ST_NOEXEC` of statvfs(3): hidden behind `_GNU_SOURCE`.
  private static let noExecution: UInt = 8

  private var execution: DoctorCheck {
    var space = statvfs()
    let forbidden = statvfs(home.path, &space) == 0 && space.f_flag & Self.noExecution != 0
    return forbidden
      ? Check(
        id: "far.exec", status: .failed, detail: "\(home.path) is mounted noexec",
        fix: "set CF_BENCH_HOME for that login to a folder from which programs may run")
      : Check(id: "far.exec", status: .ok, detail: "programs may run from \(home.path)")
  }

  private var load: DoctorCheck {
    let load = HostReader.load
    let cores = Double(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    let hundredths = Int(load * 100)
    let detail = "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) on \(Int(cores)) cores"
    return Check(
      id: "far.load", status: load > cores / 2 ? .warning : .ok, detail: detail,
      fix: load > cores / 2 ? "wait until the machine is quiet: 'top' shows what runs" : nil)
  }

  private var confinement: DoctorCheck {
    let confinement = Confinement(environment)
    if let obstacle = confinement.obstacle {
      return Check(
        id: "far.confinement", status: .warning,
        detail: "measured code runs with all rights of this login: \(obstacle)",
        fix:
          "use a kernel with Landlock (Linux 5.19 or later), and no \(Confinement.variable)=no; or measure only trusted code"
      )
    }
    guard !confinement.gaps.isEmpty else {
      return Check(id: "far.confinement", status: .ok, detail: "measured code has its own files and processes only")
    }
    return Check(
      id: "far.confinement", status: .warning,
      detail: "measured code is confined, but could still \(confinement.gaps.joined(separator: ", "))",
      fix: "measure only code that you trust, or under a login with fewer rights and a newer kernel")
  }

  private var lock: DoctorCheck {
    let path = MachineLock.path(environment)
    guard let lock = FileLock(path: path, create: true) else {
      return Check(
        id: "far.lock", status: .failed, detail: "\(path) can't be opened",
        fix: "set CF_BENCH_LOCK for that login to a file that may be written")
    }
    if lock.tryLock() { return Check(id: "far.lock", status: .ok, detail: "no other job measures") }
    return Check(
      id: "far.lock", status: .warning, detail: "held by \(lock.content)",
      fix: "jobs wait for their turn; nothing to do")
  }
}
