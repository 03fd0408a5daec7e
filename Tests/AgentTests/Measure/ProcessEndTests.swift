import Foundation
import Glibc
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("How a child ended is told as it was, and no child is waited for beyond its limit", .programs)
struct ProcessEndTests {
  @Test("a child whose end the system tells nobody is not called a success")
  func untold() throws {
    var pid: pid_t = 0
    let arguments: [String] = ["/bin/sh", "-c", "exit 3"]
    var words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    let started = posix_spawn(&pid, "/bin/sh", nil, nil, &words, nil)
    try #require(started == 0)
    var usage = rusage()
    // As where the kernel reaps children itself, or somebody else does: wait4 then knows none (ECHILD).
    let reaped = waitpid(pid, nil, 0)
    try #require(reaped == pid)
    #expect(ProcessEnd.wait(for: pid, until: MonotonicClock.seconds + 20, usage: &usage) == .untold)
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
