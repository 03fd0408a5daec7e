import Foundation
import TestSupport
import Testing

@testable import AgentCore

@Suite("A child process is run to its end, within its limits", .programs)
struct ChildProcessTests {
  private func child(_ script: String, input: String = "", limit: Double = 20) -> ChildProcess {
    ChildProcess(
      program: "sh", arguments: ["-c", script], environment: ["PATH": "/usr/bin:/bin"], directory: "/",
      input: Array(input.utf8), limitSeconds: limit)
  }

  @Test("a program that is replaced while it runs is found where the new one stands")
  func replaced() async throws {
    try await withTemporaryFolder { folder in
      let program = folder + "/sleeper"
      try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: program)
      let running = Process()
      running.executableURL = URL(filePath: program)
      running.arguments = ["60"]
      try running.run()
      defer { running.terminate() }
      // Between fork and exec it is still this process.
      func link() throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(running.processIdentifier)/exe")
      }
      while !(try link().hasPrefix(program)) { usleep(1000) }
      try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: program + ".new")
      try #require(rename(program + ".new", program) == 0)
      #expect(try link() == program + " (deleted)")
      #expect(Executable.path(ofLink: try link()) == program)
      #expect(Executable.path(ofLink: program) == program)
    }
  }

  @Test("output, error output, exit code and input")
  func plain() throws {
    let outcome = try child("cat; echo word >&2; exit 7", input: "given").run()
    #expect(outcome.end == .exited(7))
    #expect(outcome.outputText == "given")
    #expect(outcome.errorText == "word\n")
  }

  @Test("a megabyte in and a megabyte out at once do not stop each other")
  func duplex() throws {
    let text = String(repeating: "0123456789abcdef", count: 1 << 16)
    let outcome = try child("cat", input: text).run()
    #expect(outcome.outputText == text)
  }

  @Test("a child killed by a signal is told from one that exits")
  func signalled() throws {
    #expect(try child("kill -KILL $$").run().end == .signalled(9))
  }

  @Test("at the limit the whole group ends, grandchildren that hold the pipes included")
  func limit() throws {
    let outcome = try child("sleep 60 & sleep 60", limit: 0.3).run()
    #expect(outcome.end == .timedOut)
    // Whoever waited for the grandchild would wait for a minute.
    #expect(outcome.seconds < 50)
  }

  @Test("a child that closes its pipes and stays is ended too")
  func silentStayer() throws {
    let outcome = try child("exec >&- 2>&-; sleep 60", limit: 0.3).run()
    #expect(outcome.end == .timedOut)
  }

  @Test("output above the limit is read and dropped")
  func flood() throws {
    var flood = child("head -c 3000000 /dev/zero")
    flood.outputLimit = 1000
    #expect(try flood.run().output.count == 1000)
  }

  @Test("a program that is not there is said to be missing")
  func missing() throws {
    let nothing = ChildProcess(
      program: "no-such-program", arguments: [], environment: ["PATH": "/usr/bin"], directory: "/", limitSeconds: 1)
    let failure = #expect(throws: ChildProcess.SpawnFailure.self) { try nothing.run() }
    #expect(failure?.what.contains("no-such-program") == true)
  }

  @Test("only the given environment reaches the child")
  func environment() throws {
    let outcome = try child("env").run()
    let names = outcome.outputText.split(separator: "\n").compactMap { $0.split(separator: "=").first }
    #expect(Set(names).subtracting(["PATH", "PWD", "_", "SHLVL", "OLDPWD"]).isEmpty)
  }

  @Test("CPU time and peak memory come from the kernel's accounting")
  func accounting() throws {
    let python = "import sys; b = bytearray(80 << 20); s = sum(range(3_000_000))"
    let outcome = try ChildProcess(
      program: "python3", arguments: ["-c", python],
      environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"], directory: "/",
      limitSeconds: 300
    ).run()
    #expect(outcome.succeeded)
    #expect(outcome.userSeconds > 0.02)
    #expect(outcome.peakRSSBytes > 80 << 20)
  }
}
