import Foundation
import Shared
import SystemPackage
import Yams

enum SettingsFile {
  static let name = "cf-bench.yaml"

  /// The file in `folder` or above it, up to the root of a repository.
  static func find(from folder: FilePath) -> FilePath? {
    var folder = folder
    while true {
      let candidate = folder.appending(name)
      if FileManager.default.fileExists(atPath: candidate.string) { return candidate }
      if FileManager.default.fileExists(atPath: folder.appending(".git").string) { return nil }
      guard folder.removeLastComponent() else { return nil }
    }
  }
}

enum SettingsVariables {
  static let prefix = "CF_BENCH_"
  /// Variables of that prefix that are no settings.
  static let reserved = [
    "CF_BENCH_HOME", "CF_BENCH_LOCK", "CF_BENCH_KEY_PASSPHRASE", "CF_BENCH_AGENT",
  ]
}

extension Settings {
  /// Flags over environment over file over defaults.
  /// - Parameter flags: A setting's name, the flag it came from, and its value as text.
  static func load(
    flags: [(key: String, flag: String, text: String)], environment: [String: String], folder: FilePath,
    configuration: FilePath?
  ) throws(SettingsError) -> Settings {
    var settings = Settings()
    let home = FilePath(environment["HOME"] ?? "/")
    if let configuration {
      try settings.read(file: folder.pushing(configuration), called: configuration.string, home: home)
    } else if let found = SettingsFile.find(from: folder) {
      try settings.read(file: found, called: SettingsFile.name, home: home)
    }
    for (name, text) in environment.sorted(by: { $0.key < $1.key })
    where name.hasPrefix(SettingsVariables.prefix) && !SettingsVariables.reserved.contains(name) {
      guard let key = SettingKey.all.first(where: { $0.variable == name }) else {
        let known = SettingKey.all.map(\.variable) + SettingsVariables.reserved
        throw SettingsError(
          fault: .unknownVariable(name, nearest: NearestName.to(name, among: known)), place: .environment(name))
      }
      try settings.take(key, text, .environment(name), folder: folder, home: home)
    }
    for (name, flag, text) in flags {
      guard let key = SettingKey.named(name) else { throw unknown(name, at: .flag(flag)) }
      try settings.take(key, text, .flag(flag), folder: folder, home: home)
    }
    return settings
  }

  private static func unknown(_ name: String, at place: SettingPlace) -> SettingsError {
    let known = SettingKey.all.map(\.name)
    return SettingsError(
      fault: .unknownKey(name, nearest: NearestName.to(name, among: known), known: []), place: place)
  }

  private mutating func take(
    _ key: SettingKey, _ text: String, _ place: SettingPlace, folder: FilePath, home: FilePath
  ) throws(SettingsError) {
    let context = ReadingContext(key: key.name, place: place, folder: folder, home: home)
    try key.readText(text, context, &self)
    origins[key.name] = .given(place)
  }

  private mutating func read(file: FilePath, called name: String, home: FilePath) throws(SettingsError) {
    let yaml = try YAMLText(file: file, calledFile: name)
    guard let root = try yaml.root() else { return }
    try read(root, prefix: "", yaml.place, folder: file.removingLastComponent(), home: home)
  }

  private mutating func read(
    _ node: Node, prefix: String, _ place: SettingPlace, folder: FilePath, home: FilePath
  ) throws(SettingsError) {
    let context = ReadingContext(
      key: prefix.isEmpty ? "settings" : String(prefix.dropLast()), place: place, folder: folder, home: home)
    guard case .mapping(let mapping) = node else { throw context.wrong(node, expected: "a group of keys") }
    for (keyNode, value) in mapping {
      let name = prefix + (try context.text(keyNode, expected: "a key"))
      if let key = SettingKey.named(name) {
        let context = ReadingContext(key: name, place: place, folder: folder, home: home)
        try key.read(value, context, &self)
        origins[name] = .given(place.at(keyNode.mark))
      } else if SettingKey.all.contains(where: { $0.name.hasPrefix(name + ".") }) {
        try read(value, prefix: name + ".", place, folder: folder, home: home)
      } else {
        throw Self.unknown(name, at: place.at(keyNode.mark))
      }
    }
  }
}

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
          candidates: try fields.required("candidates"), setup: try code(fields, of: entry, inner.entry(index))))
    }
    return targets
  }

  /// Several lines of Python, unlike every setting.
  private static func code(
    _ fields: YAMLFields, of entry: Node, _ context: ReadingContext
  ) throws(SettingsError) -> String {
    guard let (node, inner) = fields.node("setup") else {
      throw SettingsError(fault: .missingField("setup", of: context.key), place: context.place.at(entry.mark))
    }
    return try inner.text(node, expected: "Python code that defines call()")
  }

  /// The built-in targets and those of the user's file, which replace built-in ones of the same name.
  static func targets(for settings: Settings) throws(SettingsError) -> [MicroTarget] {
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
