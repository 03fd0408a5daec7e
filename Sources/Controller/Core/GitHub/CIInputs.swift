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

  /// The settings that the inputs ask for; what was left out stays as the file and the variables have it.
  /// - Parameter found: where the machine finds the commits.
  func settings(repository found: String?) -> SettingsRequest {
    var request = SettingsRequest()
    request.configuration = config
    request.set("layers", layers, by: "the input 'layers'")
    request.setBudget(budget, by: "the input 'budget'")
    request.set("machine", machine, by: "the input 'machine'")
    request.set("python", python, by: "the input 'python'")
    request.set("target.repository", found, by: "the input 'repository'")
    request.setGate(failOn ?? [], by: "the input 'fail-on'")
    request.set("gate.undecided", undecided, by: "the input 'undecided'")
    // A newer push replaces what still waits of an older one.
    request.set("supersede", "true", by: "the step")
    return request
  }
}
