import Shared
import Testing

/// Manifests for tests of the agent.
enum Manifests {
  /// A job of one small release whose one command sleeps for 50 ms.
  static func sleeping(name: String, blocks: Int, queueSeconds: Double = 60) throws -> JobManifest {
    let command = StartupCommand(
      name: "sleep", arguments: ["python", "-c", "import time; time.sleep(0.05)"], isControl: false)
    return JobManifest(
      id: try #require(JobID(name)), createdAt: Timestamp.rfc3339(), owner: "tests",
      target: TargetPlan(package: "six", importName: "six"),
      sides: [SidePlan(side: .head, label: "six==1.17.0", source: .release(requirement: "six==1.17.0"))],
      python: PythonPlan(versions: ["3.11"], fallbackToSystem: true), requirements: [],
      layers: LayerPlans(
        startup: StartupPlan(commands: [command], blocks: blocks, warmupRuns: 0, importRuns: 1, timeoutSeconds: 300)),
      seed: 1, setsAsideDisturbed: false,
      limits: JobLimits(queueSeconds: queueSeconds, setupSeconds: 120, totalSeconds: 120))
  }
}
