import Foundation
import TestSupport

/// A `cf-bench` that runs while the test does something to it. Owned by one test; its end is waited for in ``end(within:)``.
final class BenchProcess {
  private let process = Process()
  private let testbed: Testbed
  private let name = UUID().uuidString

  init(_ arguments: [String], in testbed: Testbed) throws {
    self.testbed = testbed
    process.executableURL = URL(filePath: try BuiltProduct.path("cf-bench"))
    process.arguments = arguments
    process.environment = testbed.environment
    process.currentDirectoryURL = URL(filePath: testbed.folder)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try file("output")
    process.standardError = try file("error")
    try process.run()
  }

  deinit { if process.isRunning { kill(pid, SIGKILL) } }

  private func file(_ kind: String) throws -> FileHandle {
    let path = "\(testbed.folder)/\(name)-\(kind)"
    try Data().write(to: URL(filePath: path))
    return try FileHandle(forWritingTo: URL(filePath: path))
  }

  var pid: pid_t { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  /// What it said on standard error so far.
  var said: String { (try? testbed.read("\(name)-error")) ?? "" }

  /// Waits for its end; it is killed when that does not come in time. A signal that ended it counts as 128 and its number.
  func end(within seconds: Double = 180) async throws -> Testbed.Result {
    do { try await waitFor("cf-bench to end; it said: \(said.suffix(600))", seconds) { !process.isRunning } } catch {
      kill(pid, SIGKILL)
      throw error
    }
    let status = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
    return Testbed.Result(status: status, output: try testbed.read("\(name)-output"), error: said)
  }
}
