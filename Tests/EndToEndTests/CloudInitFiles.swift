import Foundation
import TestSupport
import Testing

/// The files that cloud-init.yaml puts on the VM, taken out of it as they are installed.
enum CloudInitFiles {
  /// Writes them all below `folder`, at the paths that they have on the VM.
  static func write(into folder: String) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      Testbed.packageRoot + "/.tools/venv/bin/python", Testbed.packageRoot + "/scripts/cloud-init-files.py", folder,
    ]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "scripts/cloud-init-files.py failed")
  }

  /// The watchdog as it is installed, with times that a test can wait for.
  static let watchdog: ScaledWatchdog = {
    atexit { try? FileManager.default.removeItem(atPath: CloudInitFiles.watchdog.folder) }  // nobody used it: not there
    return ScaledWatchdog()
  }()

  struct ScaledWatchdog: Sendable {
    fileprivate let folder: String

    init() {
      folder = FileManager.default.temporaryDirectory.appending(path: "cf-bench-watchdog-\(UUID().uuidString)").path
    }

    func apply(to options: inout StandInAzure.Options) async throws {
      let path = folder + "/usr/local/lib/cf-bench/watchdog"
      if !FileManager.default.fileExists(atPath: path) { try CloudInitFiles.write(into: folder) }
      options.watchdog = path
      options.watchdogEvery = 1
      options.watchdogEnvironment = [
        "CF_BENCH_LOG": folder + "/\(UUID().uuidString).log", "CF_BENCH_IDLE_SECONDS": "4",
        "CF_BENCH_GRACE_SECONDS": "2", "CF_BENCH_HARD_SECONDS": "600",
      ]
    }
  }
}
