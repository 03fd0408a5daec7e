import Yams

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
