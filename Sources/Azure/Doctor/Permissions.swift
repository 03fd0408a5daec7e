/// What somebody may do at one place, as Azure's role-based access control has it: what one of these allows and does
/// not take away.
struct Permissions: Decodable, Sendable {
  struct Permission: Decodable, Sendable {
    var actions: [String]?
    var notActions: [String]?
  }
  private var value: [Permission]

  init(_ permissions: [Permission]) { value = permissions }

  func allows(_ action: String) -> Bool {
    value.contains { one in
      (one.actions ?? []).contains { Self.matches($0, action) }
        && !(one.notActions ?? []).contains { Self.matches($0, action) }
    }
  }

  /// All patterns that allow something.
  var actions: [String] { value.flatMap { $0.actions ?? [] } }

  /// `*` stands for any text, slashes too; letters' case means nothing.
  static func matches(_ pattern: String, _ action: String) -> Bool {
    let parts = pattern.lowercased().split(separator: "*", omittingEmptySubsequences: false)
    var rest = action.lowercased()[...]
    guard parts.count > 1 else { return rest == pattern.lowercased() }
    guard rest.hasPrefix(parts[0]) else { return false }
    rest = rest.dropFirst(parts[0].count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let found = rest.firstRange(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.hasSuffix(parts[parts.count - 1])
  }
}
