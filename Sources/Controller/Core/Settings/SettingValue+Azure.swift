import Azure
import Yams

extension SourceRange: SettingValue {
  static var expectation: String { "auto, none, or an address or range such as 203.0.113.7" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> SourceRange {
    guard let source = SourceRange(try context.text(node, expected: expectation)) else {
      throw context.wrong(node, expected: expectation)
    }
    return source
  }

  var yaml: String? { text.yaml }
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
