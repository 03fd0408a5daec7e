import Foundation
import Shared
import Subprocess
import SystemPackage
import Testing
import TestSupport

@testable import ControllerCore

@Suite("A folder's words and documents come from its events alone")
struct StoredReportTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func stored(_ story: EventFixture) throws -> RunFolder {
    let base = story.sides.contains(.base) ? story.labels[.base] : nil
    let run = try RunFolder.create(
      in: folder.path.appending("results"), base: base, head: story.labels[.head] ?? "", alpha: 0.01, delta: 0.02)
    let store = try EventStore(path: run.events)
    for line in try story.lines() { try store.append(line: Array(line.dropLast())) }
    try store.close()
    return run
  }

  private var twoPythons: EventFixture {
    var story = EventFixture()
    story.pythons = ["3.12", "3.14"]
    return story
  }

  @Test("a comparison writes the customer's files, and all of them fit their schemas")
  func comparison() async throws {
    let run = try stored(twoPythons)
    let report = try StoredReport.rewrite(run)
    #expect(try folder.names(run.path) == ["comment.md", "comparison.json", "events.ndjson", "sides.json"])
    let sides = try [Side.base, .head].map { try #require(run.folder(of: $0)) }
    for side in sides {
      #expect(try folder.names(side) == ["importtime.tsv", "micro.json", "startup.json", "summary.md"])
    }
    for (schema, files) in [
      ("comparison", [run.path.appending("comparison.json")]), ("sides", [run.path.appending("sides.json")]),
      ("startup", sides.map { $0.appending("startup.json") }), ("micro", sides.map { $0.appending("micro.json") }),
    ] {
      #expect(try await SchemaValidator.errors(ofFiles: files.map(\.string), schema: schema) == nil, "\(schema)")
    }
    let document = try StoredFile.decode(ComparisonDocument.self, at: run.path.appending("comparison.json"))
    guard case .comparison(let expected, _) = report else { throw Unexpected() }
    #expect(document == expected.document)
    #expect(report.exitStatus == .done)
  }
  private struct Unexpected: Error {}

  @Test("layers 3 and 4 write their documents, profiles and pictures")
  func codeflash() async throws {
    var story = EventFixture()
    story.runsCodeflash = true
    let run = try stored(story)
    try StoredReport.rewrite(run)
    #expect(
      try folder.names(run.path) == [
        "comment.md", "comparison.json", "events.ndjson", "memory-timeline.svg", "optimize-diff.svg", "sides.json",
      ])
    let head = try #require(run.folder(of: .head))
    #expect(
      try folder.names(head) == [
        "importtime.tsv", "memory-timeline.svg", "memory.json", "micro.json", "optimize.json",
        "optimize.speedscope.json",
        "optimize.svg", "startup.json", "summary.md",
      ])
    for (schema, file) in [
      ("comparison", run.path.appending("comparison.json")), ("optimize", head.appending("optimize.json")),
      ("memory", head.appending("memory.json")),
    ] {
      #expect(try await SchemaValidator.errors(ofFiles: [file.string], schema: schema) == nil, "\(schema)")
    }
    let memory = try StoredFile.decode(MemoryDocument.self, at: head.appending("memory.json"))
    // Layer 4 made no plain run: what the tool cost is told by layer 3's.
    #expect(memory.profiles.allSatisfy { $0.plainSeconds == 8.5 })
    let comparison = try StoredFile.decode(ComparisonDocument.self, at: run.path.appending("comparison.json"))
    #expect(comparison.memoryLines.map(\.file) == ["codeflash/main.py", "codeflash/main.py"])
    #expect(comparison.memoryLines.allSatisfy { $0.differenceBytes == 30 << 20 })
  }

  @Test("what a writer that was killed left beside a file goes with the next writing; what a living one writes stays")
  func leftovers() async throws {
    let run = try stored(twoPythons)
    let head = try #require(run.folder(of: .head))
    let ended = try await Subprocess.run(.path("/bin/true"), output: .discarded).processIdentifier.value
    let names = [".startup.json.\(ended).tmp", ".startup.json.1.tmp", ".tmp", ".notes.tmp", "..tmp"]
    try StoredFile.makeFolders(head)
    for name in names {
      for place in [run.path, head] { try TemporaryFolder.write("half a fi".utf8, place.appending(name)) }
    }
    try StoredReport.rewrite(run)
    for place in [run.path, head] {
      #expect(try folder.names(place).filter { $0.hasPrefix(".") } == names[1...].sorted())
    }
  }

  @Test("written again, every file is the same; a lost one is back")
  func again() throws {
    let run = try stored(twoPythons)
    try StoredReport.rewrite(run)
    let head = try #require(run.folder(of: .head))
    let comment = try TemporaryFolder.text(run.path.appending("comment.md"))
    let startup = try TemporaryFolder.text(head.appending("startup.json"))
    try FileManager.default.removeItem(atPath: head.string)
    try TemporaryFolder.write("damaged".utf8, run.path.appending("comment.md"))
    try StoredReport.rewrite(try RunFolder.open(run.path))
    #expect(try TemporaryFolder.text(run.path.appending("comment.md")) == comment)
    #expect(try TemporaryFolder.text(head.appending("startup.json")) == startup)
  }

  @Test("a run of one revision has its events and documents in one folder, wherever that was moved to")
  func single() throws {
    var story = EventFixture()
    story.sides = [.head]
    let run = try stored(story)
    let moved = folder.path.appending("moved")
    try FileManager.default.moveItem(atPath: run.path.string, toPath: moved.string)
    try StoredReport.rewrite(try RunFolder.open(moved))
    #expect(
      try folder.names(moved) == [
        "events.ndjson", "importtime.tsv", "micro.json", "sides.json", "startup.json", "summary.md",
      ])
    #expect(try folder.names(folder.path.appending("results")).isEmpty)
  }

  @Test("a layer that did not run has no file")
  func oneLayer() throws {
    var story = EventFixture()
    story.metrics = []
    story.importNames = [:]
    story.sides = [.head]
    let run = try stored(story)
    try StoredReport.rewrite(run)
    #expect(try folder.names(run.path) == ["events.ndjson", "sides.json", "startup.json", "summary.md"])
  }

  @Test("a job cut off in the middle is reported as far as it came, and ends with the machine's exit code")
  func cutOff() async throws {
    let run = try stored(EventFixture())
    let text = try TemporaryFolder.text(run.events)
    try TemporaryFolder.write(text.utf8.prefix(text.utf8.count * 2 / 3), run.events)
    let report = try StoredReport.rewrite(run)
    #expect(report.exitStatus == .infrastructure)
    let comment = try TemporaryFolder.text(run.path.appending("comment.md"))
    #expect(comment.contains("Part of what was planned has no result") && comment.contains("no last word"))
    let file = run.path.appending("comparison.json").string
    #expect(try await SchemaValidator.errors(ofFiles: [file], schema: "comparison") == nil)
  }

  @Test("importtime.tsv has a header and a line a module, children first, and names the Python only when there are two")
  func importTable() throws {
    let one = try #require(ImportTable.text(.head, from: EventFixture().record))
    #expect(
      one.split(separator: "\n") == [
        "module\tdepth\tself_us\tcumulative_us\tcommand", "codeflash.version\t1\t208\t308\tcodeflash --version",
        "rich.console\t1\t18900\t19000\tcodeflash --version", "codeflash.lazy\t1\t620\t720\tcodeflash --version",
        "codeflash.cli\t0\t820\t820\tcodeflash --version", "codeflash\t0\t332\t332\tcodeflash --version",
      ])
    let two = try #require(ImportTable.text(.head, from: twoPythons.record)).split(separator: "\n")
    #expect(two.first == "python\tmodule\tdepth\tself_us\tcumulative_us\tcommand")
    #expect(
      two.dropFirst().map { $0.prefix(5) } == Array(repeating: "3.12\t", count: 5)
        + Array(repeating: "3.14\t", count: 5))
  }

  @Test("startup.json has the keys that the installed hyperfine writes, and what its analysis scripts read")
  func hyperfine() async throws {
    let export = folder.path.appending("real.json")
    let real = try await run(
      .name("hyperfine"),
      arguments: [
        "-N", "-r", "2", "-w", "0", "-L", "python", "3.12,3.14", "true {python}", "--export-json", export.string,
      ],
      output: .discarded, error: .string(limit: 1 << 16))
    #expect(real.terminationStatus.isSuccess, "\(real.standardError)")
    let folder = try stored(twoPythons)
    try StoredReport.rewrite(folder)
    let ours = try #require(folder.folder(of: .head)).appending("startup.json")
    let check = """
      import json, statistics, sys
      real, ours = (json.load(open(path))["results"] for path in sys.argv[1:])
      # A newer hyperfine adds memory_usage_byte, which we do not measure in this layer.
      assert set(real[0]) - {"memory_usage_byte"} == set(ours[0]), (sorted(real[0]), sorted(ours[0]))
      for key in ours[0]:
          assert type(real[0][key]) is type(ours[0][key]), key
      assert set(real[0]["parameters"]) == set(ours[0]["parameters"]) == {"python"}
      for result in ours:
          times = result["times"]
          assert len(times) == len(result["exit_codes"]) == 28 and result["command"]
          assert abs(statistics.mean(times) - result["mean"]) < 1e-12
          assert abs(statistics.stdev(times) - result["stddev"]) < 1e-12
          assert abs(statistics.median(times) - result["median"]) < 1e-12
          assert min(times) == result["min"] and max(times) == result["max"]
      """
    let python = try await run(
      .name("python3"), arguments: ["-c", check, export.string, ours.string], output: .string(limit: 1 << 16),
      error: .string(limit: 1 << 16))
    #expect(python.terminationStatus.isSuccess, "\(python.standardError)")
  }

  @Test("a command that ran once has a deviation of null, as hyperfine has it")
  func once() throws {
    var story = EventFixture()
    story.sides = [.head]
    let sample = try #require(story.record.samples.first)
    var record = story.record
    record.samples = [sample]
    let document = try #require(StartupDocument.make(.head, from: record))
    let text = String(decoding: try JSONEncoder().encode(document), as: UTF8.self)
    #expect(text.contains("\"stddev\":null") && !text.contains("parameters"))
    #expect(try JSONDecoder().decode(StartupDocument.self, from: Data(text.utf8)) == document)
  }
}
