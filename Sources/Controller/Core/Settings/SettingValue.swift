import Shared
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

extension String: SettingValue {
  static var expectation: String { "a text" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> String {
    let text = try context.text(node, expected: expectation)
    guard !text.isEmpty else { throw context.wrong(found: "empty", expected: expectation, at: node.mark) }
    guard !text.contains(where: { $0.isNewline || $0 == "\0" }) else {
      throw context.wrong(found: "several lines", expected: "a text of one line", at: node.mark)
    }
    guard TerminalText.isHarmless(text) else {
      throw context.wrong(
        found: "a control character or an invisible one", expected: "a text that shows what it is", at: node.mark)
    }
    return text
  }

  /// Plain where YAML can't take it for something else, in double quotes otherwise.
  var yaml: String? {
    let safe = { (character: Character) in
      character.isASCII && (character.isLetter || "._/:@<>=~+-".contains(character))
    }
    let words = ["true", "false", "null", "yes", "no", "on", "off", "~"]
    if let first, first.isLetter || first == "~" || first == "/", last != ":", !words.contains(lowercased()),
      allSatisfy({ safe($0) || $0.isWholeNumber })
    {
      return self
    }
    return "\"" + replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}

extension Int: SettingValue {
  static var expectation: String { "a whole number" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> Int {
    guard let value = Int(try context.text(node, expected: expectation)) else {
      throw context.wrong(node, expected: expectation)
    }
    return value
  }

  var yaml: String? { String(self) }
}

extension Double: SettingValue {
  static var expectation: String { "a number" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> Double {
    guard let value = Double(try context.text(node, expected: expectation)), value.isFinite else {
      throw context.wrong(node, expected: expectation)
    }
    return value
  }

  var yaml: String? { self == rounded() && abs(self) < 1e15 ? String(Int(self)) : String(self) }
}

extension Bool: SettingValue {
  static var expectation: String { "true or false" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> Bool {
    switch try context.text(node, expected: expectation).lowercased() {
    case "true", "yes", "on", "1": return true
    case "false", "no", "off", "0": return false
    default: throw context.wrong(node, expected: expectation)
    }
  }

  var yaml: String? { String(self) }
}

/// A duration is written as seconds (`90`), or with a unit: `500ms`, `90s`, `10m`, `2h`.
extension Duration: SettingValue {
  static var expectation: String { "a duration such as 90s, 10m or 2h" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> Duration {
    let text = try context.text(node, expected: expectation)
    let number = text.prefix { $0.isNumber || $0 == "." }
    let units = ["": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600]
    // A year is more than anybody means, and keeps the sum far from what the type can hold.
    guard let amount = Double(number), let unit = units[String(text.dropFirst(number.count))],
      amount * unit <= 365 * 24 * 3600
    else { throw context.wrong(node, expected: expectation) }
    return .seconds(amount * unit)
  }

  /// The number of seconds, as documents and manifests hold it.
  var inSeconds: Double { self / .seconds(1) }

  var yaml: String? {
    for (unit, seconds) in [("h", 3600), ("m", 60)] where inSeconds > Double(seconds) || (unit == "h" && inSeconds > 0)
    {
      let count = inSeconds / Double(seconds)
      if count >= 1, count == count.rounded() { return "\(Int(count))\(unit)" }
    }
    return (inSeconds.yaml ?? "") + "s"
  }
}

extension FilePath: SettingValue {
  static var expectation: String { "a path" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> FilePath {
    let text = try context.text(node, expected: expectation)
    guard !text.isEmpty, text.utf8.count < 4096, TerminalText.isHarmless(text) else {
      throw context.wrong(node, expected: expectation)
    }
    return context.absolute(FilePath(text))
  }

  var yaml: String? { string.yaml }
  func resolved(in context: ReadingContext) -> FilePath { context.absolute(self) }
}

/// A setting that is one of a few words.
protocol WordSetting: SettingValue, CaseIterable, RawRepresentable where RawValue == String {}

extension WordSetting {
  static var expectation: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> Self {
    let text = try context.text(node, expected: expectation)
    if let word = Self(rawValue: text) { return word }
    guard let nearest = NearestName.to(text, among: allCases.map(\.rawValue)) else {
      throw context.wrong(node, expected: expectation)
    }
    throw context.wrong(node, expected: "\(expectation) (did you mean '\(nearest)'?)")
  }

  var yaml: String? { rawValue }
}

extension LayerName: WordSetting {}
extension OptimizeForm: WordSetting {}
extension TimingEngine: WordSetting {}
extension ProfileRule: WordSetting {}
extension FindingsRule: WordSetting {}
extension CodeflashRunPlan.Answers: WordSetting {}
extension Gate.Undecided: WordSetting {}

extension MetricDelta: SettingValue {
  static var expectation: String { "NAME=NUMBER%, such as optimize=5%, from 0.01% to 100%" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> MetricDelta {
    let text = try String.read(node, in: context)
    guard let sign = text.lastIndex(of: "="), text.hasSuffix("%"), sign > text.startIndex,
      let percent = Double(text[text.index(after: sign)...].dropLast()), 0.01...100 ~= percent
    else { throw context.wrong(node, expected: expectation) }
    return MetricDelta(of: String(text[..<sign]), delta: percent / 100)
  }

  var yaml: String? { "\(of)=\(VerdictFormatter.percent(delta))".yaml }
}

extension GateRule: SettingValue {
  static var expectation: String { words }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> GateRule {
    guard let rule = GateRule(try String.read(node, in: context)) else {
      throw context.wrong(node, expected: expectation)
    }
    return rule
  }

  var yaml: String? { text.yaml }
}
