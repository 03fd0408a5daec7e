import Shared
import SystemPackage
import Yams

/// The micro targets of a file: data that a user can add to.
enum MicroTargetFile {
  static func parse(_ yaml: YAMLText) throws(SettingsError) -> [MicroTarget] {
    let context = ReadingContext(key: "micro targets", place: yaml.place, folder: "", home: "")
    guard let root = try yaml.root() else { return [] }
    let fields = try YAMLFields(root, known: ["targets"], expected: "a map with a list of targets", in: context)
    guard let (list, inner) = fields.node("targets") else { return [] }
    guard case .sequence(let entries) = list else { throw inner.wrong(list, expected: "a list of targets") }
    var targets: [MicroTarget] = []
    for (index, entry) in entries.enumerated() {
      let fields = try YAMLFields(
        entry, known: ["name", "group", "candidates", "setup"],
        expected: "a map with name, group, candidates and setup",
        in: inner.entry(index))
      targets.append(
        MicroTarget(
          name: try fields.required("name"), group: try fields.required("group"),
          candidates: try places(fields, of: entry, inner.entry(index)),
          setup: try code(fields, of: entry, inner.entry(index))))
      guard targets.dropLast().allSatisfy({ $0.name != targets.last?.name }) else {
        throw SettingsError(fault: .duplicate(targets.last?.name ?? ""), place: yaml.place.at(entry.mark))
      }
    }
    return targets
  }

  private static func places(
    _ fields: YAMLFields, of entry: Node, _ context: ReadingContext
  ) throws(SettingsError) -> [String] {
    let places: [FunctionPlace] = try fields.required("candidates")
    guard !places.isEmpty else {
      throw context.wrong(found: "without candidates", expected: FunctionPlace.expectation, at: entry.mark)
    }
    return places.map(\.text)
  }

  /// Several lines of Python, unlike every setting.
  private static func code(
    _ fields: YAMLFields, of entry: Node, _ context: ReadingContext
  ) throws(SettingsError) -> String {
    guard let (node, inner) = fields.node("setup") else {
      throw SettingsError(fault: .missingField("setup", of: context.key), place: context.place.at(entry.mark))
    }
    let expected = "Python code that defines call()"
    let code = try inner.text(node, expected: expected)
    // Only Python can tell whether the code is right; what it must not leave out can be told from here.
    guard code.contains(/\bcall\b/) else {
      throw inner.wrong(found: "without 'call'", expected: expected, at: node.mark)
    }
    return code
  }

  /// The built-in targets and those of the user's file, which replace built-in ones of the same name, and the project's own
  /// benchmarks; where only some are asked for, those. Which benchmarks there are only the benchmark host can tell.
  static func targets(for settings: Settings) throws(SettingsError) -> (targets: [MicroTarget], suite: BenchmarkSuite?)
  {
    let targets = try all(for: settings)
    let path = settings.microPytest?.text
    guard !settings.microOnly.isEmpty, case .given(let place) = settings.origin(of: "micro.only") else {
      return (targets, path.map { BenchmarkSuite(path: $0) })
    }
    let names = targets.map(\.name)
    let others = settings.microOnly.filter { !names.contains($0) }
    if let path {
      return (
        targets.filter { settings.microOnly.contains($0.name) },
        others.isEmpty ? nil : BenchmarkSuite(path: path, only: others)
      )
    }
    if let unknown = others.first {
      let nearest = NearestName.to(unknown, among: names).map { " (did you mean '\($0)'?)" } ?? ""
      throw SettingsError(
        fault: .wrongValue(
          key: "micro.only", found: "'\(unknown)'",
          expected: "names of micro targets: \(names.joined(separator: ", "))\(nearest)"), place: place)
    }
    return (targets.filter { settings.microOnly.contains($0.name) }, nil)
  }

  private static func all(for settings: Settings) throws(SettingsError) -> [MicroTarget] {
    var targets: [MicroTarget] = []
    if settings.microBuiltinTargets {
      targets = try parse(
        YAMLText(
          text: String(decoding: PackageResources.codeflash_yaml, as: UTF8.self),
          place: .file("built-in micro targets", line: nil, column: nil)))
    }
    guard let file = settings.microTargets else { return targets }
    let own = try parse(YAMLText(file: file, calledFile: file.string))
    let names = Set(own.map(\.name))
    return targets.filter { !names.contains($0.name) } + own
  }
}

/// Where a function may live: `package.module:attribute.path`.
private struct FunctionPlace: SettingValue {
  static var expectation: String { "a place such as package.module:function" }
  let text: String
  var yaml: String? { text.yaml }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> FunctionPlace {
    let text = try context.text(node, expected: expectation)
    let name = /[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*/
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.wholeMatch(of: name) != nil }) else {
      throw context.wrong(node, expected: expectation)
    }
    return FunctionPlace(text: text)
  }
}

/// Where a project has its benchmarks: a path below its root.
struct BenchmarkPath: SettingValue, Equatable {
  static var expectation: String { "a folder or file of the measured project, such as tests/benchmarks" }
  let text: String
  var yaml: String? { text.yaml }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> BenchmarkPath {
    let text = try context.text(node, expected: expectation)
    guard BenchmarkSuite.isPath(text), TerminalText.isHarmless(text) else {
      throw context.wrong(node, expected: expectation)
    }
    return BenchmarkPath(text: text)
  }
}
