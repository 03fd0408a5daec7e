import FoundationEssentials
import Shared

/// The measured project's own benchmarks, as they are on the head's side; the base is measured by the same ones.
struct MicroSuite {
  struct Test: Equatable {
    /// As pytest names it: `FILE::TEST`.
    var node: String
    var name: String
  }

  /// A copy of the checkout, so that what a test writes stays out of the one that others use.
  let root: String
  let path: String
  let package: String
  var tests: [Test] = []
  /// The tests among the layer's targets, by the targets' places.
  var nodes: [Int: String] = [:]

  /// What a worker needs to know for these tasks: only the files that they are in.
  func order(for tasks: [MicroWorker.Task]) -> MicroWorker.Suite {
    var files: [String] = []
    for task in tasks {
      guard let file = task.test.map({ String($0.prefix(upTo: $0.firstRange(of: "::")?.lowerBound ?? $0.endIndex)) }),
        !files.contains(file)
      else { continue }
      files.append(file)
    }
    return MicroWorker.Suite(root: root, paths: files.isEmpty ? [path] : files, package: package)
  }

  /// Copies the project and collects the tests that use the fixture `benchmark`. What can't be had is said as `trouble`, and the
  /// suite is then without tests.
  static func prepare(
    _ asked: BenchmarkSuite, script: String, plan: MicroPlan, in context: LayerContext
  ) throws -> MicroSuite {
    var suite = MicroSuite(root: context.scratch + "/suite", path: asked.path, package: context.target.importName)
    guard let side = context.sides.last(where: { $0.folder != nil }), let folder = side.folder else {
      try say(
        "the benchmarks in '\(asked.path)' were not measured",
        why: "no side has a folder of source: a release from the package index comes without its benchmarks",
        fix: "name a git revision or a folder (path:DIR), or take the setting micro.pytest away", in: context)
      return suite
    }
    guard FileManager.default.fileExists(atPath: "\(folder)/\(asked.path)") else {
      try say(
        "the benchmarks in '\(asked.path)' were not measured", why: "\(side.label) has no such folder or file",
        fix: "correct the setting micro.pytest: a path from the project's root", in: context)
      return suite
    }
    try suite.copy(folder, in: context)
    let worker = MicroWorker(
      script: script, plan: plan, scratch: context.scratch, name: "collecting")
    let (answers, end) = try worker.discover(suite, on: side, surroundings: context.surroundings(of: 0))
    for answer in answers {
      guard let file = answer.unread else { continue }
      try say(
        "the benchmarks in '\(file)' can't be collected", why: answer.reason,
        fix: "see what `python -m pytest --collect-only \(asked.path)` says; the others go on", in: context)
    }
    let succeeded = end.status == .exited(0)
    if !succeeded {
      try say(
        "the benchmarks in '\(asked.path)' can't be collected",
        why: "collecting them \(end.status.words): \(end.words)",
        fix: "see what `python -m pytest --collect-only \(asked.path)` says; the others go on", in: context)
    }
    let found = answers.compactMap { answer in
      answer.test.flatMap { node in answer.name.map { Test(node: node, name: $0) } }
    }
    suite.tests = found.filter { asked.only?.contains($0.name) ?? true }
    let unknown = (asked.only ?? []).filter { name in !found.contains { $0.name == name } }
    if !unknown.isEmpty || (found.isEmpty && answers.isEmpty && succeeded) {
      try say(
        unknown.isEmpty
          ? "there is no benchmark in '\(asked.path)'"
          : "there is no micro target or benchmark called \(unknown.map { "'\($0)'" }.joined(separator: ", "))",
        why: found.isEmpty
          ? "no test there uses the fixture 'benchmark'"
          : "'\(asked.path)' has " + found.map(\.name).joined(separator: ", "),
        fix: "correct the setting micro.\(unknown.isEmpty ? "pytest" : "only")", in: context)
    }
    return suite
  }

  /// Everything but git's own folder.
  private func copy(_ folder: String, in context: LayerContext) throws {
    try FileManager.default.makeFresh(root)
    let entries = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0 != ".git" }.sorted()
    _ = try context.tools.mustRun(
      "cp", ["--archive", "--target-directory", root, "--"] + entries.map { "\(folder)/\($0)" },
      doing: "copying the project of the benchmarks")
  }

  private static func say(_ what: String, why: String?, fix: String, in context: LayerContext) throws {
    try context.sink.emit(
      .trouble(
        Trouble(
          layer: MicroLayer.name, python: context.python,
          problem: Problem(what: what, why: why, fix: fix, exitStatus: .partial))))
  }
}
