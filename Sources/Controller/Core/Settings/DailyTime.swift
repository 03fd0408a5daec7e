import Yams

/// A time of each day, UTC, as `az vm auto-shutdown` wants it.
struct DailyTime: Equatable, Sendable {
  /// `0300`.
  var text: String

  static let standard = DailyTime(text: "0300")
}

extension DailyTime: SettingValue {
  static var expectation: String { "a time such as 0300" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> DailyTime {
    let text = try context.text(node, expected: expectation).replacing(":", with: "")
    guard text.wholeMatch(of: /([01][0-9]|2[0-3])[0-5][0-9]/) != nil else {
      throw context.wrong(node, expected: expectation)
    }
    return DailyTime(text: text)
  }

  /// In quotes: YAML 1.1 takes `0300` for a number to the base of eight.
  var yaml: String? { "\"\(text)\"" }
}
