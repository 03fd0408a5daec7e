import Foundation
import Shared
import SystemPackage
import TestSupport
import Testing

@testable import Controller

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

  @Test("a variable of our prefix that is no setting is refused with the nearest one")
  func unknownVariable() async throws {
    let error = await #expect(throws: SettingsError.self) { try await load(environment: ["CF_BENCH_LAYER": "micro"]) }
    #expect(error?.fix.contains("CF_BENCH_LAYERS") == true)
    #expect(try await load(environment: ["CF_BENCH_HOME": "/nowhere"]) == Settings())
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

  @Test("the built-in micro targets are at least eight, in three groups, each with places and setup")
  func builtinTargets() throws {
    let targets = try MicroTargetFile.targets(for: Settings())
    #expect(targets.count >= 8)
    #expect(Set(targets.map(\.group)).count == 3)
    #expect(Set(targets.map(\.name)).count == targets.count)
    #expect(targets.allSatisfy { !$0.candidates.isEmpty && $0.setup.contains("call") })
  }
}
