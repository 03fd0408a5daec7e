import Foundation
import Shared

/// Turns settings and prepared sides into the manifest that the benchmark host gets.
enum ManifestBuilder {
  static func build(
    settings: Settings, layers: LayerPlans, sides: [SidePlan], python: PythonPlan, seed: UInt64
  ) -> JobManifest {
    guard let id = JobID("\(Timestamp.folder())-\(String(UInt32.random(in: .min ... .max), radix: 36))") else {
      preconditionFailure("a timestamp and a number in base 36 make a job id")
    }
    return JobManifest(
      id: id, createdAt: Timestamp.rfc3339(), owner: owner,
      target: TargetPlan(package: settings.targetPackage, importName: settings.targetImport), sides: sides,
      python: python,
      requirements: settings.targetRequirements, layers: layers, seed: seed,
      stopping: sides.count == 2
        ? StoppingPlan(
          alpha: settings.alpha, delta: settings.delta, budgetSeconds: settings.budget.inSeconds) : nil,
      setsAsideDisturbed: settings.setAside,
      limits: JobLimits(
        queueSeconds: settings.limitQueue.inSeconds, setupSeconds: settings.limitSetup.inSeconds,
        totalSeconds: settings.limitTotal.inSeconds),
      tune: settings.tune ? true : nil, branch: sides.last.map { "\(settings.targetPackage) \($0.label)" },
      secrets: JobSecrets.names(settings, layers))
  }

  static var owner: String {
    TerminalText.clean("\(NSUserName())@\(ProcessInfo.processInfo.hostName)", limit: 100)
  }
}
