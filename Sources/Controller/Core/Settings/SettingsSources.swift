import Foundation
import Shared
import SystemPackage
import Yams

enum SettingsFile {
  static let name = "cf-bench.yaml"

  /// The file in `folder`, or above it up to the root of the repository that it is in. Outside of a repository only
  /// `folder` counts: a file further up, in the home folder or in a shared one, belongs to something else.
  static func find(from folder: FilePath) throws(SettingsError) -> FilePath? {
    for folder in candidates(from: folder) {
      if exists(folder.appending(name)) { return folder.appending(name) }
      let misnamed = folder.appending("cf-bench.yml")
      if exists(misnamed) {
        throw SettingsError(fault: .misnamedFile, place: .file(misnamed.string, line: nil, column: nil))
      }
    }
    return nil
  }

  private static func candidates(from start: FilePath) -> [FilePath] {
    var folders: [FilePath] = []
    var folder = start
    while true {
      folders.append(folder)
      if exists(folder.appending(".git")) { return folders }
      guard folder.removeLastComponent() else { return [start] }
    }
  }

  private static func exists(_ path: FilePath) -> Bool { FileManager.default.fileExists(atPath: path.string) }
}

extension Settings {
  /// Flags over environment over file over defaults.
  /// - Parameter flags: A setting's name, the flag it came from, and its value as text.
  static func load(
    flags: [(key: String, flag: String, text: String)], environment: [String: String], folder: FilePath,
    configuration: FilePath?
  ) throws(SettingsError) -> Settings {
    var settings = Settings()
    let home = FilePath(environment["HOME"] ?? FileManager.default.homeDirectoryForCurrentUser.path)
    if let configuration {
      try settings.read(file: folder.pushing(configuration), called: configuration.string, home: home)
    } else if let found = try SettingsFile.find(from: folder) {
      try settings.read(file: found, called: SettingsFile.name, home: home)
    }
    for (name, text) in environment.sorted(by: { $0.key < $1.key })
    where name.hasPrefix(ProgramVariable.prefix) && !ProgramVariable.isKnown(name) {
      guard let key = SettingKey.all.first(where: { $0.variable == name }) else {
        let known = SettingKey.all.map(\.variable) + ProgramVariable.names
        throw SettingsError(
          fault: .unknownVariable(name, nearest: NearestName.to(name, among: known)), place: .environment(name))
      }
      // An empty variable is one that nobody set: that is how CI systems pass on an input that was left out.
      guard !text.isEmpty else { continue }
      try settings.take(key, text, .environment(name), folder: folder, home: home)
    }
    for (name, flag, text) in flags {
      guard let key = SettingKey.named(name) else { throw unknown(name, at: .flag(flag)) }
      try settings.take(key, text, .flag(flag), folder: folder, home: home)
    }
    settings.followTarget()
    return settings
  }

  private static func unknown(_ name: String, at place: SettingPlace) -> SettingsError {
    let all = SettingKey.all.map(\.name)
    let section = name.lastIndex(of: ".").map { String(name[...$0]) } ?? ""
    var known: [String] = []
    for key in all where key.hasPrefix(section) {
      let part = String(key.dropFirst(section.count).prefix { $0 != "." })
      if !known.contains(part) { known.append(part) }
    }
    let sections = Set(all.compactMap { $0.contains(".") ? String($0.prefix { $0 != "." }) : nil }).sorted()
    return SettingsError(
      fault: .unknownKey(name, nearest: NearestName.to(name, among: sections + all), known: known), place: place)
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
    if node.isNull { return }  // a section whose keys are all commented out
    guard case .mapping(let mapping) = node else { throw context.wrong(node, expected: "a group of keys") }
    for (keyNode, value) in mapping {
      let part = try context.text(keyNode, expected: "a key")
      let name = prefix + part
      if part.contains("."), SettingKey.named(name) != nil {
        throw SettingsError(fault: .dottedKey(name), place: place.at(keyNode.mark))
      }
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
