import Foundation
import Glibc
import TestSupport
import Testing

@testable import AgentCore

@Suite("How a child ended is told as it was, and no child is waited for beyond its limit", .programs)
struct ProcessEndTests {
  @Test("a child whose end the system tells nobody is not called a success")
  func untold() async {
    await #expect(processExitsWith: .success) {
      signal(SIGCHLD, SIG_IGN)  // the kernel then reaps children itself, and wait4 knows none (ECHILD)
      let environment = ["PATH": "/usr/bin:/bin"]
      let child = ChildProcess(
        program: "sh", arguments: ["-c", "exit 3"], environment: environment, directory: "/", limitSeconds: 20)
      let outcome = try child.run()
      #expect(!outcome.succeeded && outcome.end != .exited(0))
      let timed = TimedProcess(
        words: ["/bin/sh", "-c", "exit 3"], environment: environment, directory: "/", limitSeconds: 20)
      #expect(try timed.run().end != .exited(0))
    }
  }

  /// Joins this process's group, where a kill of its own group does not find it, and would write a file at its end.
  private func leaver(_ marker: String) -> [String] {
    let program = "import os, time; os.setpgid(0, os.getpgid(os.getppid())); time.sleep(8); open('\(marker)', 'w')"
    return ["/usr/bin/python3", "-c", program]
  }

  @Test("at its limit a child is ended that has left its process group")
  func leftItsGroup() async throws {
    try await withTemporaryFolder { folder in
      let words = leaver(folder + "/child")
      let outcome = try ChildProcess(words: words, environment: [:], directory: "/", limitSeconds: 0.5).run()
      #expect(outcome.end == .timedOut)
      let timed = try TimedProcess(
        words: leaver(folder + "/timed"), environment: [:], directory: "/", limitSeconds: 0.5
      ).run()
      #expect(timed.end == .timedOut)
      // It was not waited for until it ended by itself.
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }
  }
}
