import Shared
import Yams

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
