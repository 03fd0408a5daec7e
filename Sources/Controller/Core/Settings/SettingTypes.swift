import Shared
import SystemPackage
import Yams

/// A list is written as a YAML list, or as one value where a single one is meant. In a variable its entries are separated
/// by commas; entries that hold commas need YAML there too: `["a,b", "c"]`.
extension Array: SettingValue where Element: SettingValue {
  static var expectation: String { "a list; each entry is \(Element.expectation)" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> [Element] {
    switch node {
    case .sequence(let sequence):
      var values: [Element] = []
      for (index, entry) in sequence.enumerated() {
        values.append(try Element.read(entry, in: context.entry(index)))
      }
      return values
    case .scalar where !node.isNull: return [try Element.read(node, in: context)]
    case .scalar, .mapping, .alias: throw context.wrong(node, expected: expectation)
    }
  }

  static func node(from text: String, in context: ReadingContext) throws(SettingsError) -> Node {
    if text.first == "[" {
      return try YAMLText(text: text, place: context.place).root() ?? Node([Node]())
    }
    return Node(text.split(separator: ",").map { Node(String($0.trimmingPrefix(while: \.isWhitespace))) })
  }

  var yaml: String? { "[" + compactMap(\.yaml).joined(separator: ", ") + "]" }
  func resolved(in context: ReadingContext) -> [Element] { map { $0.resolved(in: context) } }
}

/// A setting that may have no value: the key is absent, or nothing stands behind it.
extension Optional: SettingValue where Wrapped: SettingValue {
  static var expectation: String { Wrapped.expectation }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> Wrapped? {
    node.isNull ? nil : try Wrapped.read(node, in: context)
  }

  static func node(from text: String, in context: ReadingContext) throws(SettingsError) -> Node {
    try Wrapped.node(from: text, in: context)
  }

  var yaml: String? { self?.yaml }
  func resolved(in context: ReadingContext) -> Wrapped? { self?.resolved(in: context) }
}

/// A command is a map (`name`, `run`, `control`), or just the command line, which is then its name too.
extension StartupCommand: SettingValue {
  static var expectation: String { "a command line, or a map with run, name and control" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> StartupCommand {
    if case .scalar = node {
      let line = try String.read(node, in: context)
      return StartupCommand(name: line, arguments: try arguments(node, in: context), isControl: false)
    }
    let fields = try YAMLFields(node, known: ["name", "run", "control"], expected: expectation, in: context)
    guard let (run, inner) = fields.node("run") else {
      throw SettingsError(fault: .missingField("run", of: context.key), place: context.place.at(node.mark))
    }
    let arguments = try arguments(run, in: inner)
    return StartupCommand(
      name: try fields.optional("name") ?? ShellWords.join(arguments), arguments: arguments,
      isControl: try fields.optional("control") ?? false)
  }

  /// A list of arguments as it is, or one line taken apart as a shell would.
  private static func arguments(_ node: Node, in context: ReadingContext) throws(SettingsError) -> [String] {
    let expected = "a command line, or a list of arguments"
    guard case .scalar = node else {
      let arguments = try [String].read(node, in: context)
      guard !arguments.isEmpty else { throw context.wrong(found: "empty", expected: expected, at: node.mark) }
      return arguments
    }
    guard let words = ShellWords.split(try String.read(node, in: context)), !words.isEmpty else {
      throw context.wrong(node, expected: "\(expected), with every quote closed")
    }
    return words
  }

  var yaml: String? {
    let fields = [
      "name: \(quoted(name))", "run: [" + arguments.map(quoted).joined(separator: ", ") + "]",
      isControl ? "control: true" : nil,
    ]
    return "{ " + fields.compactMap { $0 }.joined(separator: ", ") + " }"
  }

  private func quoted(_ text: String) -> String { text.yaml ?? "\"\"" }
}

/// Where git finds a repository: an address (`https://…`, `git@host:path`), or a folder on this machine.
enum RepositoryLocation: Equatable, Sendable {
  case address(String)
  case folder(FilePath)

  /// As git takes it on its command line.
  var text: String {
    switch self {
    case .address(let address): address
    case .folder(let path): path.string
    }
  }
}

extension RepositoryLocation: SettingValue {
  static var expectation: String { "the address of a git repository, or the path of one" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> RepositoryLocation {
    let text = try String.read(node, in: context)
    // A leading dash would be an option to git, whatever its user meant.
    guard text.first != "-" else { throw context.wrong(node, expected: expectation) }
    return isAddress(text) ? .address(text) : .folder(context.absolute(FilePath(text)))
  }

  /// git's own rule (git-clone(1), "GIT URLS"): a scheme, or a colon before the first slash.
  private static func isAddress(_ text: String) -> Bool {
    text.contains("://") || text.prefix { $0 != "/" }.contains(":")
  }

  var yaml: String? { text.yaml }

  func resolved(in context: ReadingContext) -> RepositoryLocation {
    guard case .folder(let path) = self else { return self }
    return .folder(context.absolute(path))
  }
}

/// The fields of one map of a list, such as an entry of `startup.commands`: every key must be known.
struct YAMLFields {
  private let fields: [String: Node]
  private let mark: Mark?
  private let context: ReadingContext

  init(_ node: Node, known: [String], expected: String, in context: ReadingContext) throws(SettingsError) {
    guard case .mapping(let mapping) = node else { throw context.wrong(node, expected: expected) }
    var fields: [String: Node] = [:]
    for (key, value) in mapping {
      let name = try context.text(key, expected: expected)
      guard known.contains(name) else {
        throw SettingsError(
          fault: .unknownKey(name, nearest: NearestName.to(name, among: known), known: known),
          place: context.place.at(key.mark))
      }
      fields[name] = value
    }
    self.fields = fields
    self.context = context
    mark = node.mark
  }

  /// The field's value; an error when it is absent.
  func required<Value: SettingValue>(_ name: String, as type: Value.Type = Value.self) throws(SettingsError) -> Value {
    guard let value: Value = try optional(name) else {
      throw SettingsError(fault: .missingField(name, of: context.key), place: context.place.at(mark))
    }
    return value
  }

  /// The field's value; `nil` when it is absent.
  func optional<Value: SettingValue>(_ name: String, as type: Value.Type = Value.self) throws(SettingsError) -> Value? {
    guard let node = fields[name] else { return nil }
    return try Value.read(node, in: inner(name))
  }

  /// The node as it is, for a field whose type depends on what stands there.
  func node(_ name: String) -> (Node, ReadingContext)? {
    fields[name].map { ($0, inner(name)) }
  }

  private func inner(_ name: String) -> ReadingContext {
    var inner = context
    inner.key = "\(context.key).\(name)"
    return inner
  }
}
