import Foundation
import Shared

/// The secrets of a job: named in its manifest, taken from this program's environment, and written nowhere.
enum JobSecrets {
  private static let codeflashKey = "CODEFLASH_API_KEY"

  /// What the manifest names; `nil` for none.
  static func names(_ settings: Settings, _ layers: LayerPlans) -> [String]? {
    let isLive = [layers.optimize?.run.answers, layers.memory?.run.answers].contains(.live)
    let names = Set(settings.secrets + (isLive ? [codeflashKey] : []))
    return names.isEmpty ? nil : names.sorted()
  }

  /// What a job that was submitted with these settings may need; the benchmark host takes what its manifest names.
  static func names(_ settings: Settings) -> [String] {
    settings.secrets + (settings.optimizeAnswers == .live ? [codeflashKey] : [])
  }

  /// The values of those that are here; the benchmark host's login may have the others.
  static func values(_ names: [String], environment: [String: String]) -> [String: String]? {
    let values = names.reduce(into: [String: String]()) { values, name in
      guard let given = environment[name] else { return }
      let value = name == codeflashKey ? given.trimmingCharacters(in: .whitespacesAndNewlines) : given
      if !value.isEmpty { values[name] = value }
    }
    return values.isEmpty ? nil : values
  }

  /// - Throws: ``Problem`` for what can't be a secret's name.
  static func check(_ settings: Settings) throws(Problem) {
    for name in settings.secrets {
      guard let objection = SecretNames.objection(to: name) else { continue }
      throw Problem(
        what: "'\(TerminalText.clean(name))' can't be a secret of the target's commands", why: "it \(objection)",
        fix: "name variables in the setting 'secrets', such as [MY_SERVICE_TOKEN]", exitStatus: .usage)
    }
  }
}
