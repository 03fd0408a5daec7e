import Foundation
import Shared
import TestSupport
import Testing

@Suite("A benchmark host whose disk fills at any moment says so, and measures again when there is room", .longPrograms)
struct DiskFullTests {
  private struct Outcome {
    var complaints: [String] = []
    var megabytes = 0.0
    /// Seconds from the last free byte to the controller's end.
    var seconds = 0.0
    /// How the run ended.
    var status: Int32 = 0
  }

  /// Holds the agent, a project's environment and a job, with some room left.
  private static let size = "size=600m"

  @Test("the disk fills")
  func full() async throws {
    let began = ContinuousClock.now
    let trials = TrialReport.count(usual: 2)
    let outcomes = Box<[Outcome]>([])
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 3))
      try testbed.writeProjects()
      try await testbed.withMount(options: Self.size) { mount in
        try await FaultHost.at(testbed, environment: ["CF_BENCH_HOME": mount + "/home"]) { host in
          let first = ContinuousClock.now
          let undisturbed = try await host.start(["run", "path:fast"]).end()
          try #require(undisturbed.status == 0, "\(undisturbed.error)")
          let length = (ContinuousClock.now - first) / .seconds(1)
          for number in 0..<trials {
            var outcome = Outcome()
            do { try await fill(number, mount, host, length, &outcome) } catch { outcome.complaints.append("\(error)") }
            outcomes.value.append(outcome)
          }
          let after = try await host.start(["run", "path:fast"]).end()
          #expect(after.status == 0, "with room again: \(after.error)")
        }
      }
    }
    for (number, outcome) in outcomes.value.enumerated() where !outcome.complaints.isEmpty {
      Issue.record("trial \(number): \(outcome.complaints.joined(separator: "; "))")
    }
    TrialReport.print(
      "disk full at any moment", trials: trials, held: outcomes.value.count { $0.complaints.isEmpty },
      worst: String(
        format: "%.1f MiB of an agent's memory, %.1f s to the end, %d runs hit",
        outcomes.value.map(\.megabytes).max() ?? 0, outcomes.value.map(\.seconds).max() ?? 0,
        outcomes.value.count { $0.status != 0 }),
      since: began)
  }

  private func fill(
    _ number: Int, _ mount: String, _ host: FaultHost, _ length: Double, _ outcome: inout Outcome
  ) async throws {
    var random = TrialReport.random(for: "full \(number)")
    let ballast = mount + "/ballast"
    defer { try? FileManager.default.removeItem(atPath: ballast) }  // not there when the trial ended before
    // Some begin without the agent or the environment, so that these meet the full disk too.
    if number.isMultiple(of: 4) { try FileManager.default.removeItem(atPath: host.home + "/agents") }
    if number % 4 == 2 { try FileManager.default.removeItem(atPath: host.home + "/environments") }
    let before = host.jobs
    let memory = AgentMemory(below: host.home)
    let bench = try host.start(["run", "path:fast"])
    try await Task.sleep(for: .seconds(Double.random(in: 0...length * 0.9, using: &random)))
    try Self.fill(ballast)
    let filled = ContinuousClock.now
    let result = try await bench.end()
    outcome.seconds = (ContinuousClock.now - filled) / .seconds(1)
    outcome.status = result.status ?? -1
    try await host.waitForSilence()
    let peak = await memory.end()
    outcome.megabytes = peak.megabytes
    if peak.megabytes > AgentMemory.limit { outcome.complaints.append("\(peak.megabytes) MiB in \(peak.role)") }
    let said = result.error.lowercased()
    switch result.status {
    case 0: break  // it came too late to harm
    case Shared.ExitStatus.infrastructure.rawValue, Shared.ExitStatus.partial.rawValue:
      if !(said.contains("disk") && said.contains("full")) && !said.contains("no space left") {
        outcome.complaints.append("nothing is said of the disk: \(said.suffix(600))")
      }
      if let job = host.jobs.subtracting(before).first, let last = host.events(of: job).last {
        guard case .finished = last.event else {
          outcome.complaints.append("the journal's last word is no last word: \(last)")
          break
        }
      }
    default: outcome.complaints.append("exit status \(result.status ?? -1): \(said.suffix(600))")
    }
  }

  /// Writes until nothing more goes in.
  private static func fill(_ path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    try #require(file >= 0)
    defer { close(file) }
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    var size = zeros.count
    while size > 0 { if write(file, zeros, size) <= 0 { size /= 2 } }
  }
}
