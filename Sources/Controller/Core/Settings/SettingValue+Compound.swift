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
