import Foundation
import Shared
import SystemPackage
import TestSupport
import Testing

@testable import ControllerCore

@Suite("Settings: flags over environment over file over defaults, and no slip goes unseen")
struct SettingsTests {
  private func load(
    file: String? = nil, environment: [String: String] = [:], flags: [(key: String, flag: String, text: String)] = []
  ) async throws -> Settings {
    try await TestSupport.withTemporaryFolder { folder in
      if let file { try Data(file.utf8).write(to: URL(filePath: folder + "/cf-bench.yaml")) }
      return try Settings.load(
        flags: flags, environment: environment, folder: FilePath(folder), configuration: nil)
    }
  }

  private func fault(_ file: String) async throws -> Problem {
    do {
      _ = try await load(file: file)
    } catch let error as SettingsError {
      return error.problem
    }
    Issue.record("the file was taken: \(file)")
    return Problem(what: "", fix: "", exitStatus: .done)
  }

  @Test("each source wins over the one below it, and the origin says which it was")
  func precedence() async throws {
    let file = "startup:\n  blocks: 20\n  import-runs: 7\nmicro:\n  blocks: 9\n"
    let settings = try await load(
      file: file, environment: ["CF_BENCH_STARTUP_IMPORT_RUNS": "8", "CF_BENCH_MICRO_BLOCKS": "10"],
      flags: [("micro.blocks", "--set micro.blocks", "11")])
    #expect(settings.startupBlocks == 20)
    #expect(settings.startupImportRuns == 8)
    #expect(settings.microBlocks == 11)
    #expect(settings.origin(of: "startup.blocks").description == "cf-bench.yaml:2")
    #expect(settings.origin(of: "startup.import-runs").description == "CF_BENCH_STARTUP_IMPORT_RUNS")
    #expect(settings.origin(of: "micro.blocks").description == "--set micro.blocks")
    #expect(settings.origin(of: "statistics.alpha") == .standard)
  }

  @Test(
    "every key can be set by file, by variable and by flag to its own default", arguments: SettingKey.all.map(\.name))
  func everyKey(name: String) async throws {
    let key = try #require(SettingKey.named(name))
    let standard = key.standard ?? "~"
    let parts = name.split(separator: ".")
    let file = parts.count == 2 ? "\(parts[0]):\n  \(parts[1]): \(standard)\n" : "\(name): \(standard)\n"
    let byFile = try await load(file: file)
    #expect(byFile.origin(of: name) != .standard)
    // A path is taken from the file's own folder, so only its last part is compared.
    if name != "results" { #expect(key.value(byFile) == key.standard) }
    guard let text = key.standard, name != "startup.commands" else { return }
    let plain = text.hasPrefix("\"") ? String(text.dropFirst().dropLast()) : text
    let byVariable = try await load(environment: [key.variable: plain])
    #expect(byVariable.origin(of: name).description == key.variable)
    let byFlag = try await load(flags: [(name, "--set \(name)", plain)])
    #expect(byFlag.origin(of: name).description == "--set \(name)")
  }

  @Test("an unknown key is shown with line, column and the nearest known one")
  func unknownKey() async throws {
    let problem = try await fault("startup:\n  bloks: 3\n")
    #expect(problem.what.contains("cf-bench.yaml:2:3"))
    #expect(problem.what.contains("bloks"))
    #expect(problem.fix.contains("startup.blocks"))
    #expect(problem.exitStatus == .usage)
  }

  @Test(
    "a wrong type or a value out of bounds names what the key takes",
    arguments: [
      ("startup:\n  blocks: many\n", "whole number"), ("startup:\n  blocks: 0\n", "from 1 to 10000"),
      ("startup: 3\n", "group of keys"), ("layers: [startup, memory-hole]\n", "one of startup, micro"),
      ("statistics:\n  alpha: 2\n", "from"), ("limits:\n  queue: soon\n", "duration"),
      ("micro:\n  builtin-targets: perhaps\n", "true or false"), ("python:\n  a: b\n", "list"),
    ])
  func wrongValue(file: String, words: String) async throws {
    let problem = try await fault(file)
    #expect((problem.why ?? "").contains(words), "\(problem)")
    #expect(problem.what.contains("cf-bench.yaml:"))
  }

  @Test("what is not YAML, a key twice, and an empty file")
  func brokenFiles() async throws {
    #expect(try await fault("startup: [\n").what.contains("not valid YAML"))
    #expect(try await fault("layers: [micro]\nlayers: [startup]\n").what.contains("cf-bench.yaml:2"))
    #expect(try await load(file: "# nothing\n") == Settings())
  }

  @Test(
    "a list is not empty and has nothing twice; targets and keys in a wrong shape are refused",
    arguments: [
      ("layers: []\n", "can't be empty"), ("python: [3.12, 3.13, 3.12]\n", "'3.12' is set twice"),
      ("startup:\n  commands: [a --b, c, a --b]\n", "'a --b' is set twice"),
      ("startup.blocks: 3\n", "written with dots"),
    ])
  func wrongShape(file: String, words: String) async throws {
    #expect(try await fault(file).what.contains(words))
  }

  @Test("a section without keys and an empty variable set nothing")
  func nothingSet() async throws {
    let settings = try await load(file: "startup:\n  # blocks: 3\n", environment: ["CF_BENCH_MICRO_BLOCKS": ""])
    #expect(settings == Settings())
  }

  @Test("for another package, no default speaks of codeflash any more")
  func otherPackage() async throws {
    let settings = try await load(file: "target:\n  package: ruamel.yaml\n")
    #expect(settings.targetImport == "ruamel_yaml")
    #expect(settings.targetRequirements.isEmpty)
    #expect(throws: Problem.self) { try settings.requiredRepository() }
    #expect(try MicroTargetFile.targets(for: settings).targets.isEmpty)
    #expect(
      settings.startupCommands.map(\.name)
        == ["ruamel.yaml --version", "ruamel.yaml --help", "import ruamel_yaml", "python -c pass"])
    #expect(settings.origins.keys.sorted() == ["target.package"])
    let given = try await load(file: "target: { package: six, import: seven, repository: 'https://six.example/six' }\n")
    #expect(given.targetImport == "seven")
    #expect(try given.requiredRepository().text == "https://six.example/six")
  }

  @Test("the file is found up to the top of a repository, and not above it or outside of one")
  func finding() async throws {
    try await TestSupport.withTemporaryFolder { root in
      let top = FilePath(root)
      let inner = top.appending("repository").appending("package")
      try FileManager.default.createDirectory(atPath: inner.string, withIntermediateDirectories: true)
      try "machine: above\n".write(toFile: root + "/cf-bench.yaml", atomically: false, encoding: .utf8)
      #expect(try SettingsFile.find(from: inner) == nil)
      #expect(try SettingsFile.find(from: top) == top.appending("cf-bench.yaml"))
      let repository = inner.removingLastComponent()
      try FileManager.default.createDirectory(
        atPath: repository.appending(".git").string, withIntermediateDirectories: true)
      #expect(try SettingsFile.find(from: inner) == nil)
      try "".write(toFile: repository.string + "/cf-bench.yml", atomically: false, encoding: .utf8)
      let error = #expect(throws: SettingsError.self) { try SettingsFile.find(from: inner) }
      #expect(error?.fix.contains("rename it to 'cf-bench.yaml'") == true)
      try "".write(toFile: repository.string + "/cf-bench.yaml", atomically: false, encoding: .utf8)
      #expect(try SettingsFile.find(from: inner) == repository.appending("cf-bench.yaml"))
    }
  }

  @Test(
    "a wrong file of micro targets is refused with line and column",
    arguments: [
      ("targets:\n- {name: a, group: g, candidates: [m.f], setup: call}\n", "t.yaml:2:36", "module:function"),
      ("targets:\n- {name: a, group: g, candidates: [], setup: call}\n", "t.yaml:2:3", "module:function"),
      ("targets:\n- {name: a, group: g, candidates: ['m:f'], setup: pass}\n", "t.yaml:2:51", "call()"),
      ("targets:\n- {name: a, group: g, candidate: ['m:f'], setup: call}\n", "t.yaml:2:23", "candidates"),
      ("targets:\n- name: a\n  group: g\n", "t.yaml:2:3", "candidates"),
      (
        "targets:\n- &a {name: a, group: g, candidates: ['m:f'], setup: call}\n- *a\n", "t.yaml:2:3", "set twice"
      ),
    ])
  func wrongTargets(yaml: String, place: String, words: String) throws {
    let error = #expect(throws: SettingsError.self) {
      try MicroTargetFile.parse(YAMLText(text: yaml, place: .file("t.yaml", line: nil, column: nil)))
    }
    let rendered = error?.problem.rendered ?? ""
    #expect(rendered.contains(place + ":"), "\(rendered)")
    #expect(rendered.contains(words), "\(rendered)")
  }

  @Test(
    "one slip in any key is answered with that key",
    arguments: Thoroughness.cases(SettingKey.all.map(\.name), each: 4))
  func slips(name: String) {
    let names = SettingKey.all.map(\.name)
    for index in name.indices.dropFirst() where name[index] != "." {
      var left = name
      left.remove(at: index)
      #expect(NearestName.to(left, among: names) == name, "\(left)")
      var changed = name
      changed.replaceSubrange(index...index, with: "q")
      #expect(NearestName.to(changed, among: names) == name, "\(changed)")
    }
  }

  @Test("a variable of our prefix that is no setting is refused with the nearest one")
  func unknownVariable() async throws {
    let error = await #expect(throws: SettingsError.self) { try await load(environment: ["CF_BENCH_LAYER": "micro"]) }
    #expect(error?.fix.contains("CF_BENCH_LAYERS") == true)
    for variable in ProgramVariable.all {
      #expect(try await load(environment: [variable.name: "/nowhere"]) == Settings(), "\(variable.name)")
    }
  }

  @Test("the example file is what the table of keys says, and reads as the defaults when its marks are taken off")
  func example() async throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "cf-bench.example.yaml")
    #expect(try String(contentsOf: path, encoding: .utf8) == SettingsExample.text, "run: make docs")
    let lines = SettingsExample.text.split(separator: "\n", omittingEmptySubsequences: false)
    let settings = try await load(
      file: lines.map { $0.hasPrefix("#") ? String($0.dropFirst()) : String($0) }
        .filter { !$0.hasPrefix(" Settings") && !$0.hasPrefix(" Flags") }.joined(separator: "\n"))
    for key in SettingKey.all where key.name != "results" {
      #expect(key.value(settings) == key.standard, "\(key.name)")
    }
  }

  @Test("with benchmarks of the project's own, names that are no target are asked of them; pytest comes along")
  func benchmarks() async throws {
    let file = "target:\n  package: tidbit\nmicro:\n  pytest: tests/benchmarks\n"
    let all = try await load(file: file)
    #expect(all.targetRequirements == ["pytest"])
    #expect(try MicroTargetFile.targets(for: all).suite == BenchmarkSuite(path: "tests/benchmarks"))
    let given = try await load(file: file, environment: ["CF_BENCH_TARGET_REQUIREMENTS": "[pytest<9, pytest-cov]"])
    #expect(given.targetRequirements == ["pytest<9", "pytest-cov"])
    let own = try await load(
      file: "micro:\n  pytest: tests/benchmarks\n  only: [compare rows, test_speed]\n")
    let (targets, suite) = try MicroTargetFile.targets(for: own)
    #expect(targets.map(\.name) == ["compare rows"])
    #expect(suite == BenchmarkSuite(path: "tests/benchmarks", only: ["test_speed"]))
    for path in ["../elsewhere", "/etc", "--help"] {
      await #expect(throws: SettingsError.self, "\(path)") {
        try await load(file: "micro:\n  pytest: '\(path)'\n")
      }
    }
  }

  @Test("the built-in micro targets are twenty, in five groups, each with places and setup")
  func builtinTargets() throws {
    let targets = try MicroTargetFile.targets(for: Settings()).targets
    #expect(targets.count == 20)
    #expect(Set(targets.map(\.group)).count == 5)
    #expect(Set(targets.map(\.name)).count == targets.count)
    #expect(targets.allSatisfy { !$0.candidates.isEmpty && $0.setup.contains("call") })
  }
}
