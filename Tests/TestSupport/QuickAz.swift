import CLibrary
import Foundation
import Synchronization

/// az for tests that call it often: az's own code, run in forks of one process that has it loaded (`Tests/QuickAz`).
/// Up to the question who is signed in, a call then takes a fifth to a tenth of the CPU time. `make faults` and one whole run
/// use the plain one.
public enum QuickAz {
  /// What a test's environment needs, in front of what it has: the folder with `az` in its `PATH`, and where the process
  /// listens.
  public static func apply(to environment: inout [String: String]) throws {
    let socket = try server.withLock { server in
      if let server { return server.socket }
      let made = try Server()
      server = made
      return made.socket
    }
    environment["QUICK_AZ_SOCKET"] = socket
    environment["PATH"] = "\(folder):" + (environment["PATH"] ?? "/usr/bin:/bin")
  }

  /// For one test: the plain az again.
  public static func remove(from environment: inout [String: String]) {
    environment["PATH"] = environment["PATH"]?.replacing("\(folder):", with: "")
  }

  private static var folder: String { SchemaValidator.packageRoot.appending(path: "Tests/QuickAz").path }
  private static let server = Mutex<Server?>(nil)

  /// Lives as long as this process: its standard input is a pipe that only this process writes.
  private struct Server: Sendable {
    let socket: String
    /// The only writing end; never closed.
    private let lifetimePipe: Int32

    struct Failure: Error, CustomStringConvertible {
      var description: String
    }

    init() throws {
      let root = SchemaValidator.packageRoot
      // A socket's path may have a hundred bytes, so it lies in no deep folder.
      socket = "/tmp/cf-bench-quick-az-\(getpid())"
      unlink(socket)
      guard let pipe = makePipe() else { throw Failure(description: String(cString: strerror(errno))) }
      lifetimePipe = pipe.writer
      let process = Process()
      process.executableURL = root.appending(path: ".tools/azure/bin/python")
      process.arguments = [root.appending(path: "Tests/QuickAz/server.py").path, socket]
      process.environment = ProcessInfo.processInfo.environment.filter { $0.key != "PYTHONDONTWRITEBYTECODE" }
      let input = FileHandle(fileDescriptor: pipe.reader, closeOnDealloc: true)
      process.standardInput = input
      try process.run()
      try input.close()
      let deadline = ContinuousClock.now + .seconds(120)
      while access(socket, F_OK) != 0 {
        guard process.isRunning, ContinuousClock.now < deadline else {
          throw Failure(
            description: "the process that runs az for tests does not come up; 'scripts/setup.sh --tests' installs az")
        }
        usleep(5000)
      }
    }
  }
}
