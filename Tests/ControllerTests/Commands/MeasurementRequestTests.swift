import ArgumentParser
import Shared
import SystemPackage
import Testing

@testable import ControllerCore

@Suite("A measurement request, from a command line and from a step's inputs")
struct MeasurementRequestTests {
  private func settings(_ request: SettingsRequest) throws -> Settings {
    try Settings.load(flags: request.values, environment: [:], folder: "/nowhere", configuration: nil)
  }

  @Test("the inputs of a step mean what the flags of the same names mean")
  func inputs() throws {
    let inputs = try CIInputs([
      "CF_BENCH_CI_LAYERS": "startup,micro", "CF_BENCH_CI_BUDGET": "3", "CF_BENCH_CI_MACHINE": "local",
      "CF_BENCH_CI_PYTHON": "3.12,3.13", "CF_BENCH_CI_FAIL_ON": "regression\nregression:Peak, memory>3%",
      "CF_BENCH_CI_UNDECIDED": "fail", "CF_BENCH_CI_HEAD": "",
    ])
    let step = try settings(inputs.settings(repository: "https://example.org/r.git"))
    let options = try Compare.parse([
      "base", "head", "--layers=startup,micro", "--budget=3", "--machine=local", "--python=3.12,3.13",
      "--fail-on=regression", "--fail-on=regression:Peak, memory>3%", "--undecided=fail", "--supersede",
      "--repository=https://example.org/r.git",
    ])
    let line = try settings(
      try SettingsRequest([options.machine, options.measure, options.time, options.gate, options.settings]))
    for key in SettingKey.all { #expect(key.value(step) == key.value(line), "\(key.name)") }
    #expect(step.budget == .seconds(180) && step.gateRules.map(\.text) == ["regression", "regression:Peak, memory>3%"])
    #expect(inputs.head == nil && step.supersede)
  }

  @Test("an input that can't be is told by its name, and a value that begins with a dash is no flag")
  func wrong() throws {
    let inputs = try CIInputs(["CF_BENCH_CI_LAYERS": "--quiet"])
    let error = #expect(throws: SettingsError.self) { try settings(inputs.settings(repository: nil)) }
    #expect(error?.what == "the input 'layers': 'layers[0]' can't be '--quiet'")
    #expect(throws: Problem.self) { try CIInputs(["CF_BENCH_CI_CHECK": "maybe"]) }
  }

  @Test("what was not asked for stays as the variables and the file have it, 'none' is a gate without rules")
  func left() throws {
    let nothing = try CIInputs([:]).settings(repository: nil)
    #expect(nothing.values.map(\.key) == ["supersede"] && nothing.configuration == nil)
    var request = SettingsRequest()
    request.setGate(["none"], by: "--fail-on")
    let settings = try settings(request)
    #expect(settings.gateRules.isEmpty && settings.origin(of: "gate.fail-on") != .standard)
  }

  @Test("releases say what the target is where nobody set one, and all of them have to be of the same")
  func releases() throws {
    func followed(_ revisions: String..., set: String? = nil) throws -> (package: String, said: String?) {
      var request = SettingsRequest()
      request.set("target.package", set, by: "--set")
      var settings = try self.settings(request)
      let said = settings.follow(revisions.map { NamedRevision($0) })
      return (settings.targetPackage, said)
    }
    let black = try followed("black==23.12.0", "Black==24.10.0")
    #expect(black.package == "black" && black.said?.contains("black") == true)
    #expect(try followed("main", "Black==24.10.0").package == "black")
    #expect(try followed("black==1", "isort==2").package == "codeflash")
    #expect(try followed("codeflash==0.20.5", "codeflash==0.20.6").said == nil)
    #expect(try followed("black==1", "black==2", set: "isort").package == "isort")
    var settings = try self.settings(SettingsRequest())
    _ = settings.follow([NamedRevision("black==23.12.0")])
    #expect(
      settings.startupCommands.map(\.name) == ["black --version", "black --help", "import black", "python -c pass"])
    #expect(settings.targetRepository == nil)
  }

  @Test("a time to keep the VM on is minutes from 1 to 1440", arguments: ["0", "1441", "x", "-5", "nan"])
  func keep(text: String) throws {
    #expect(try KeepOptions.time("90", flag: "--for") == .seconds(5400))
    let error = #expect(throws: Problem.self) { try KeepOptions.time(text, flag: "--for") }
    #expect(error?.fix == "write --for 30" && error?.exitStatus == .usage)
  }

  @Test("later flags count over earlier ones, and an assignment needs its '='")
  func assignments() throws {
    let options = try Run.parse(["x", "--layers", "micro", "--set", "layers=startup", "--set", "startup.blocks=7"])
    let settings = try settings(try SettingsRequest([options.measure, options.settings]))
    #expect(settings.layers == [.startup] && settings.startupBlocks == 7)
    #expect(throws: Problem.self) { try SettingsRequest([try SettingsOptions.parse(["--set", "x"])]) }
  }
}
