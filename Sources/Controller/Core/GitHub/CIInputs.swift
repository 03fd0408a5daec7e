import GitHub
import Shared

/// The inputs of the action, as it hands them on: variables `CF_BENCH_CI_*`, of which an empty one was not given.
struct CIInputs: Equatable, Sendable {
  var base: String?
  var head: String?
  var layers: String?
  var budget: String?
  var machine: String?
  var config: String?
  var python: String?
  var repository: String?
  /// One rule a line; the settings' gate if nil.
  var failOn: [String]?
  var undecided: String?
  var writesComment = true
  var failsOnComment = false
  var makesCheck = true
  var artifact = "cf-bench-results"

  init(_ environment: [String: String]) throws(Problem) {
    func text(_ name: String) -> String? {
      let value = environment["CF_BENCH_CI_" + name].map {
        $0.split(whereSeparator: \.isNewline).joined(separator: "\n")
      }
      return value?.isEmpty == false ? value : nil
    }
    func flag(_ name: String, _ standard: Bool) throws(Problem) -> Bool {
      guard let word = text(name)?.lowercased() else { return standard }
      guard let flag = ["true": true, "false": false][word] else {
        throw Problem(
          what: "the input '\(name.lowercased().replacing("_", with: "-"))' is neither true nor false",
          why: "it is '\(TerminalText.clean(word, limit: 60))'", fix: "write true or false, or leave it out",
          exitStatus: .usage)
      }
      return flag
    }
    base = text("BASE")
    head = text("HEAD")
    layers = text("LAYERS")
    budget = text("BUDGET")
    machine = text("MACHINE")
    config = text("CONFIG")
    python = text("PYTHON")
    repository = text("REPOSITORY")
    if let rules = text("FAIL_ON") { failOn = rules.split(separator: "\n").map(String.init) }
    undecided = text("UNDECIDED")
    writesComment = try flag("COMMENT", true)
    failsOnComment = try flag("FAIL_ON_COMMENT", false)
    makesCheck = try flag("CHECK", true)
    if let name = text("ARTIFACT") { artifact = name }
  }

  /// Whether the runner itself measures. A settings file does not count: a fork may have written it.
  func isLocal(_ environment: [String: String]) -> Bool { (machine ?? environment["CF_BENCH_MACHINE"]) == "local" }

  /// The command line of the comparison. Values stand behind a `=`, so none of them can be read as a flag.
  func arguments(repository found: String?) -> [String] {
    let named = [
      ("layers", layers), ("budget", budget), ("machine", machine), ("config", config), ("python", python),
      ("repository", found), ("undecided", undecided),
    ]
    var arguments = named.compactMap { name, value in value.map { "--\(name)=\($0)" } }
    arguments += (failOn ?? []).map { "--fail-on=\($0)" }
    // A newer push replaces what still waits of an older one.
    return arguments + ["--supersede"]
  }
}
