import ArgumentParser
import Foundation
import Shared

struct ShowSettings: BenchCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "Lists every setting, its value, and where the value comes from.",
    discussion: """
      EXAMPLES
        cf-bench settings
        cf-bench settings --example > cf-bench.yaml
        cf-bench settings --set startup.blocks=30 --json
      """)

  @Flag(help: "Print a configuration file with every key, commented.") var example = false
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: JSONOptions

  mutating func perform() async throws -> ExitStatus {
    if example {
      try StandardOutput.write(SettingsExample.text)
      return .done
    }
    let loaded = try CommandContext(settings, output: Output()).settings
    let rows = SettingKey.all.map {
      Row(
        name: $0.name, value: $0.value(loaded) ?? "", origin: loaded.origin(of: $0.name).description,
        variable: $0.variable, meaning: $0.meaning)
    }
    try output.tell(
      rows, rows.map { "\($0.name): \($0.value)\n    \($0.meaning)\n    from: \($0.origin)" }.joined(separator: "\n"))
    return .done
  }

  private struct Row: Encodable {
    var name: String
    /// As the configuration file would have it.
    var value: String
    var origin: String
    var variable: String
    var meaning: String
  }
}
