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
