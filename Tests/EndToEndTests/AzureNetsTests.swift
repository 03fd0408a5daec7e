import Foundation
import TestSupport
import Testing

/// `make faults` tries many more instants than the suite does.
@Suite("A controller that is killed at any moment leaves a VM that ends up off, by each net alone", .longPrograms)
struct AzureNetsTests {
  enum Net: String, CaseIterable, Sendable {
    /// The VM's own, with neither reaper nor another command.
    case watchdog
    /// `cf-bench reap`, with the watchdog switched off.
    case reap
    /// Any next command of that machine, with the watchdog switched off.
    case nextCommand
  }

  struct Trial: Sendable, CustomTestStringConvertible {
    var net: Net
    var seed: UInt64
    var testDescription: String { "\(net) \(seed)" }
  }

  /// `CF_BENCH_TEST_KILLS`: how many instants a net is tried with.
  static let trials: [Trial] = {
    let asked = ProcessInfo.processInfo.environment["CF_BENCH_TEST_KILLS"].flatMap { UInt64($0) }
    // A kill at each call is tried in AzureTests, at a model of Azure; here az itself may outlive the command.
    let count = asked ?? (Thoroughness.isFull ? 3 : 1)
    let nets = asked == nil && !Thoroughness.isFull ? [Net.watchdog, .nextCommand] : Net.allCases
    return nets.flatMap { net in (0..<count).map { Trial(net: net, seed: $0) } }
  }()

  /// A run makes about twenty requests to Azure; the kill comes some time after one of the first so many.
  private static let requestsOfRun = 20

  @Test("killed", arguments: trials)
  func killed(_ trial: Trial) async throws {
    var random = SeededRandom(state: trial.seed &* 3 &+ UInt64(Net.allCases.firstIndex(of: trial.net) ?? 0))
    let after = Int.random(in: 0...Self.requestsOfRun, using: &random)
    // Most requests are close together; a longer pause now and then falls into the measuring.
    let pause = Double.random(in: 0...(Bool.random(using: &random) ? 0.7 : 4), using: &random)
    var options = StandInAzure.Options()
    if trial.net == .watchdog { try await CloudInitFiles.watchdog.apply(to: &options) }
    try await AzureTestbed.with(options, isQuick: !TrialReport.isThorough) { testbed in
      let known = try testbed.azure.requests().count
      let result = try await testbed.whileRunning(AzureTestbed.shortRun) { [testbed] pid in
        while kill(pid, 0) == 0, try testbed.azure.requests().count < known + after { usleep(5000) }
        usleep(UInt32(pause * 1_000_000))
        kill(pid, SIGKILL)
      }
      let phase = testbed.phase ?? (result.status == 0 ? "ended before" : "nothing written")
      let comment: Comment = "\(trial): killed after \(after) requests and \(pause) s, in the phase \(phase)"
      print("    \(comment)")
      switch trial.net {
      case .watchdog:
        try await testbed.wait("orphans of \(comment)") { testbed.orphans == 0 }
        try await testbed.wait("the watchdog of \(comment)") { try testbed.vm.power == "deallocated" }
      case .reap:
        let reaped = try await testbed.bench(["reap"])
        #expect(reaped.status == 0, "\(comment): \(reaped.error)")
        try testbed.expectClean(comment)
      case .nextCommand:
        let next = try await testbed.bench(["status"])
        #expect(next.status == 0, "\(comment): \(next.error)")
        try testbed.expectClean(comment)
      }
    }
  }
}

extension AzureTestbed {
  /// How far the command's intent on disk says it was.
  fileprivate var phase: String? {
    guard let name = intents.first, let text = try? testbed.read("state/intents/\(name)") else { return nil }
    return text.firstMatch(of: /"phase" : "([a-z]+)"/).map { String($0.output.1) }
  }

  /// Calls of az that the killed command left running.
  fileprivate var orphans: Int {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.count { entry in
      guard Int(entry) != nil, let environment = FileManager.default.contents(atPath: "/proc/\(entry)/environ") else {
        return false
      }
      let text = String(decoding: environment, as: UTF8.self)
      return text.contains("CF_BENCH_RUN=") && text.contains("CF_BENCH_STATE=\(testbed.folder)/state\0")
    }
  }
}
