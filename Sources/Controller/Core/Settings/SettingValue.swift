import SystemPackage
import Yams

/// A type that a setting can have: how it is read, and how it is written.
///
/// Variables and flags are made into YAML nodes first, so that there is one way of reading.
protocol SettingValue: Equatable, Sendable {
  /// What is expected, in words that follow "takes": `a whole number`.
  static var expectation: String { get }
  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> Self
  /// The node that a variable's text stands for.
  static func node(from text: String, in context: ReadingContext) throws(SettingsError) -> Node
  /// The value as a person writes it in `cf-bench.yaml`, on one line; `nil` for no value.
  var yaml: String? { get }
  /// The value with its paths made absolute.
  func resolved(in context: ReadingContext) -> Self
}

extension SettingValue {
  static func node(from text: String, in context: ReadingContext) throws(SettingsError) -> Node { Node(text) }
  func resolved(in context: ReadingContext) -> Self { self }
}

/// What a reader of values has to know about where it reads.
struct ReadingContext: Sendable {
  /// The full name of the setting, such as `startup.blocks`.
  var key: String
  var place: SettingPlace
  /// What relative paths are relative to: the folder of the file, or the current one.
  var folder: FilePath
  /// What `~` stands for.
  var home: FilePath

  func wrong(_ node: Node, expected: String) -> SettingsError {
    wrong(found: Self.words(for: node), expected: expected, at: node.mark)
  }

  func wrong(found: String, expected: String, at mark: Mark?) -> SettingsError {
    SettingsError(fault: .wrongValue(key: key, found: found, expected: expected), place: place.at(mark))
  }

  /// The same context for an entry of the value: `startup.commands[1]`.
  func entry(_ index: Int) -> ReadingContext {
    var context = self
    context.key = "\(key)[\(index)]"
    return context
  }

  /// The text of a single value.
  func text(_ node: Node, expected: String) throws(SettingsError) -> String {
    guard case .scalar(let scalar) = node, !node.isNull else { throw wrong(node, expected: expected) }
    return scalar.string
  }

  /// A path made absolute: `~` is the home folder, anything else is relative to ``folder``.
  func absolute(_ path: FilePath) -> FilePath {
    if path.root == nil, path.components.first?.string == "~" {
      return home.appending(path.components.dropFirst()).lexicallyNormalized()
    }
    return folder.pushing(path).lexicallyNormalized()
  }

  private static func words(for node: Node) -> String {
    switch node {
    case .mapping: "a group of keys"
    case .sequence: "a list"
    case .scalar(let scalar): node.isNull ? "empty" : "'\(scalar.string)'"
    case .alias: "an alias"
    }
  }
}

extension Node {
  /// Whether nothing stands there, or one of YAML's words for nothing. Quoted text is text.
  var isNull: Bool {
    guard case .scalar(let scalar) = self, [.any, .plain].contains(scalar.style) else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }
}
