import Shared

/// A command of layer 1 as it runs on one side.
struct StartupCommandLine: Equatable {
  /// Program and arguments; the program is a path.
  var words: [String]

  var quoted: String { ShellWord.line(words) }

  /// What a command is on a side, or why the side does not have it.
  ///
  /// A program of the side's own is called by its path, with nothing in between. Any other program (a shell, say) gets the
  /// side's `PATH` through `env`, since one call of hyperfine has one environment for both sides; `env` costs both the same.
  static func make(
    _ command: StartupCommand, on side: SideEnvironment, home: String
  ) -> Result<StartupCommandLine, MissingProgram> {
    guard let program = command.arguments.first else { return .failure(MissingProgram(reason: "the command is empty")) }
    let rest = Array(command.arguments.dropFirst())
    if !program.contains("/"), let own = Executable.find(program, path: side.bin) {
      return .success(StartupCommandLine(words: [own] + rest))
    }
    let environment = side.measuredEnvironment(home: home)
    guard let found = Executable.find(program, path: environment["PATH"] ?? ""),
      let env = Executable.find("env", path: environment["PATH"] ?? "")
    else { return .failure(MissingProgram(reason: "\(side.label) has no program '\(program)'")) }
    let settings = sideSpecific.sorted().map { "\($0)=\(environment[$0] ?? "")" }
    return .success(StartupCommandLine(words: [env] + settings + [found] + rest))
  }

  struct MissingProgram: Error, Equatable { var reason: String }

  private static let sideSpecific: Set<String> = ["PATH", "VIRTUAL_ENV"]

  /// The part of the measured environment that all arms share.
  static func sharedEnvironment(_ side: SideEnvironment, home: String) -> [String: String] {
    var environment = side.measuredEnvironment(home: home).filter { !sideSpecific.contains($0.key) }
    environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
    return environment
  }
}

extension StartupCommand {
  /// Why a run is no trouble although it failed: nobody named the command. `nil` where it is trouble, or did not fail.
  func reasonToPassOver(_ outcome: ChildProcess.Outcome, on side: SideEnvironment) -> String? {
    guard isGuess == true, !outcome.succeeded, outcome.end != .timedOut else { return nil }
    return "it \(outcome.end.words) on \(side.label); nobody named it: startup.commands says what is measured"
  }
}
