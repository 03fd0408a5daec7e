import Foundation
import Shared

/// Turns settings and prepared sides into the manifest that the far end gets.
enum ManifestBuilder {
  static func build(
    settings: Settings, layers: LayerPlans, sides: [SidePlan], pythonIsDefault: Bool, seed: UInt64
  ) throws -> JobManifest {
    guard let id = JobID("\(Timestamp.folder())-\(String(UInt32.random(in: .min ... .max), radix: 36))") else {
      preconditionFailure("a timestamp and a number in base 36 make a job id")
    }
    return JobManifest(
      id: id, createdAt: Timestamp.rfc3339(), owner: owner,
      target: TargetPlan(package: settings.targetPackage, importName: settings.targetImport), sides: sides,
      python: PythonPlan(versions: settings.python, fallbackToSystem: pythonIsDefault),
      requirements: settings.targetRequirements, layers: layers, seed: seed,
      limits: JobLimits(
        queueSeconds: settings.limitQueue, setupSeconds: settings.limitSetup, totalSeconds: settings.limitTotal))
  }

  private static var owner: String {
    "\(NSUserName())@\(ProcessInfo.processInfo.hostName)"
  }
}
