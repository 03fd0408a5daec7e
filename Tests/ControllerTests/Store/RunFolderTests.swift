import Foundation
import Shared
import SystemPackage
import Testing

@testable import ControllerCore

@Suite("Folders of results")
struct RunFolderTests {
  private let folder: TemporaryFolder
  private let noon = Date(timeIntervalSince1970: 1_769_862_896)

  init() throws { folder = try TemporaryFolder() }

  private func create(base: String?, head: String, in results: FilePath? = nil) throws -> RunFolder {
    try RunFolder.create(in: results ?? folder.path, base: base, head: head, alpha: 0.01, delta: 0.02, at: noon)
  }

  @Test("a comparison has its own folder and one for each side, with a branch's slash as a dash")
  func comparison() throws {
    let run = try create(base: "main", head: "perf/optimize-startup")
    #expect(
      try folder.names() == [
        "main-20260131T123456Z", "perf-optimize-startup-20260131T123456Z",
        "perf-optimize-startup-vs-main-20260131T123456Z",
      ])
    #expect(run.path.lastComponent?.string == "perf-optimize-startup-vs-main-20260131T123456Z")
    #expect(run.folder(of: .base)?.lastComponent?.string == "main-20260131T123456Z")
    #expect(run.events.lastComponent?.string == "events.ndjson")
  }

  @Test("the newest is that of the last run or comparison, whatever it is called; without one that is told")
  func newest() throws {
    let none = #expect(throws: Problem.self) { try RunFolder.newest(in: folder.path) }
    #expect(none?.what == "there are no results yet" && none?.exitStatus == .usage)
    _ = try create(base: nil, head: "zebra")
    let later = try RunFolder.create(
      in: folder.path, base: "b", head: "a", alpha: 0.01, delta: 0.02, at: noon.addingTimeInterval(1))
    #expect(try RunFolder.newest(in: folder.path) == later.path)
  }

  @Test("a run of one revision has one folder, also below folders that are not there yet")
  func single() throws {
    let results = folder.path.appending("a/b/results")
    let run = try create(base: nil, head: "codeflash==0.20.6", in: results)
    #expect(try folder.names(results) == ["codeflash==0.20.6-20260131T123456Z"])
    #expect(run.folder(of: .head) == run.path && run.folder(of: .base) == nil && !run.isComparison)
  }

  @Test("sides of the same name are told apart, also where a file system ignores case")
  func sameNames() throws {
    _ = try create(base: "main", head: "Main")
    #expect(
      try folder.names() == [
        "Main-head-20260131T123456Z", "Main-vs-main-20260131T123456Z", "main-base-20260131T123456Z",
      ])
  }

  @Test("a timestamp that is taken moves to the next second, and leaves nothing half made behind")
  func taken() throws {
    // Only the head's folder is there: the others of that second must not stay.
    try FileManager.default.createDirectory(
      atPath: folder.path.appending("x-20260131T123456Z").string, withIntermediateDirectories: false)
    let run = try create(base: "main", head: "x")
    #expect(run.sides.timestamp == "20260131T123457Z")
    #expect(
      try folder.names() == [
        "main-20260131T123457Z", "x-20260131T123456Z", "x-20260131T123457Z", "x-vs-main-20260131T123457Z",
      ])
  }

  @Test("many at once each get folders of their own")
  func race() async throws {
    let path = folder.path
    let moment = noon
    let names = try await withThrowingTaskGroup(of: String?.self) { group in
      for _ in 0..<16 {
        group.addTask {
          try RunFolder.create(in: path, base: "a", head: "b", alpha: 0.01, delta: 0.02, at: moment)
            .path.lastComponent?.string
        }
      }
      return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
    }
    #expect(names.count == 16)
  }

  @Test(
    "a label becomes a safe name",
    arguments: [
      ("feature/a/b", "feature-a-b"), ("path:/home/x", "path--home-x"), ("v1~3^{tree}@x y", "v1-3--tree--x-y"),
      ("../../etc", "_.-..-etc"), ("-rf", "_rf"), (".git", "_git"), ("", "revision"), ("é", "_"), ("a\n\0b", "a--b"),
      (String(repeating: "x", count: 300), String(repeating: "x", count: 100)),
    ])
  func names(label: String, name: String) { #expect(RevisionName.folder(label) == name) }

  @Test("a folder is found again with what it is about, also by a relative path")
  func open() throws {
    let made = try create(base: "main", head: "x/y")
    let found = try RunFolder.open(made.path)
    #expect(found.sides == made.sides && found.sides.sides.map(\.label) == ["main", "x/y"])
    let dotted = made.path.appending("..").appending(made.path.lastComponent.map { [$0] } ?? [])
    #expect(try RunFolder.open(dotted).folder(of: .base)?.lastComponent == made.folder(of: .base)?.lastComponent)
  }

  @Test("a folder that is none of ours, or whose sides.json leads elsewhere, is refused")
  func notOurs() throws {
    #expect(throws: ResultsError.notAFolderOfResults(path: folder.path.string, missing: "sides.json")) {
      try RunFolder.open(folder.path)
    }
    let made = try create(base: "main", head: "x")
    let file = made.path.appending("sides.json")
    let text = try TemporaryFolder.text(file)
    for bad in ["../elsewhere", "/etc", "..", "."] {
      try TemporaryFolder.write(text.replacing("main-20260131T123456Z", with: bad).utf8, file)
      #expect(throws: ResultsError.self, "\(bad)") { try RunFolder.open(made.path) }
    }
    try TemporaryFolder.write(text.dropLast(20).utf8, file)
    #expect(throws: ResultsError.self) { try RunFolder.open(made.path) }
  }

  @Test("a file is replaced whole or not at all, and no half one stays beside it")
  func atomic() throws {
    let file = folder.path.appending("a.json")
    try StoredFile.write("one\n", to: file)
    try StoredFile.write("two\n", to: file)
    #expect(try TemporaryFolder.text(file) == "two\n")
    #expect(try folder.names() == ["a.json"])
    // A folder can't be replaced by a file: the rename fails, the temporary file goes.
    let blocked = folder.path.appending("b")
    try FileManager.default.createDirectory(atPath: blocked.string, withIntermediateDirectories: false)
    #expect(throws: ResultsError.self) { try StoredFile.write("x", to: blocked) }
    #expect(try folder.names() == ["a.json", "b"])
  }
}
