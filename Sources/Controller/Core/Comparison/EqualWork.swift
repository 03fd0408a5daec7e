import Shared

/// Whether both sides of a job did equal work for a metric, by what of the harness's settings was in force on each.
enum EqualWork: Equatable {
  case equal
  /// A result of before these were recorded, or a setting that the target did not show.
  case unrecorded
  /// In words.
  case unequal(String)

  init(_ key: MetricKey, in record: JobRecord) {
    func settings(_ side: Side) -> [EffectiveSettings.Setting] {
      record.effectiveSettings.first { $0.side == side && $0.python == key.python }?.settings ?? []
    }
    let (base, head) = (settings(.base), settings(.head))
    var differences: [String] = []
    var isKnown = true
    let isRun = OptimizeDocument.isOfRun(key.metric, in: key.layer)
    for name in EffectiveSettings.Name.allCases where isRun || !name.isOfCodeflash {
      let values = [base, head].map { side in side.first { $0.name == name }?.value }
      if let before = values[0], let after = values[1] {
        if before != after { differences.append("\(name.words): \(before) on the base, \(after) on the head") }
      } else if name == .loopingTime {
        isKnown = false
      }
    }
    self = !differences.isEmpty ? .unequal(differences.joined(separator: "; ")) : isKnown ? .equal : .unrecorded
  }

  /// What a document says of metrics whose work was not recorded.
  static func caveat(_ metrics: [String]) -> String {
    "It is not recorded whether both sides did equal work: \(listed(metrics)) \(metrics.count == 1 ? "has" : "have") no verdict."
  }

  static func trouble(_ key: MetricKey, _ difference: String) -> Trouble {
    Trouble(
      layer: key.layer, metric: key.metric, python: key.python,
      problem: Problem(
        what: "\(key.metric) has no result: the sides did unequal work", why: difference,
        fix: "make both sides take the setting, or leave it at the target's own value", exitStatus: .partial))
  }
}

extension JobRecord {
  /// What a reader should know of the harness's settings, once each.
  var settingRemarks: [String] { effectiveSettings.flatMap(\.settings).compactMap(\.remark).uniqued() }
}
