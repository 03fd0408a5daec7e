import Foundation
import Shared
import TestSupport
import Testing
import Tools

@Suite("Programs of this machine: each way to fail is told from the others", .timeLimit(.minutes(10)))
struct ChildToolTests {
  private let environment = ["PATH": "/usr/bin:/bin"]

  private func sh(_ script: String, limit: Duration = .seconds(300)) async throws -> ChildTool.Output {
    try await ChildTool(program: "sh", environment: environment).run(["-c", script], limit: limit)
  }

  private func failure(_ program: String, _ arguments: [String] = []) async throws -> ToolFailure {
    let tool = ChildTool(program: program, environment: environment)
    return try #require(await #expect(throws: ToolFailure.self) { try await tool.run(arguments, limit: .seconds(300)) })
  }

  private func withFile(_ text: String, mode: String, _ body: (String) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      try placeProgram(text, at: folder + "/tool", mode: mode)
      try await body(folder + "/tool")
    }
  }

  @Test("one that is not there: install it", arguments: ["/nowhere/az", "cf-bench-no-such-program"])
  func missing(program: String) async throws {
    let error = try await failure(program)
    #expect(error.cause == .notFound && error.exitStatus == .usage)
    #expect(error.what == "the program '\(program)' can't be started" && error.fix.contains("install"))
  }

  @Test("one that is there and may not be executed")
  func notExecutable() async throws {
    try await withFile("#!/bin/sh\n", mode: "644") { path in
      let error = try await failure(path)
      #expect(error.cause == .notExecutable(path: path) && error.fix.hasPrefix("chmod +x"))
    }
  }

  @Test("one whose interpreter is gone")
  func noInterpreter() async throws {
    try await withFile("#!/nowhere/python\n", mode: "755") { path in
      let error = try await failure(path)
      guard case .notRunnable(path, _) = error.cause else { throw error }
      #expect(error.why?.contains("is there, but does not run") == true && error.fix.contains("interpreter"))
    }
  }

  @Test(
    "an answer above the limit, whether it ends or not, is no reason to install anything",
    arguments: ["head -c 34000000 /dev/zero", "yes"])
  func tooLarge(script: String) async throws {
    let error = try await failure("sh", ["-c", script])
    #expect(error.cause == .tooLarge(limit: 32 << 20) && error.exitStatus == .infrastructure)
    #expect(error.why == "more than 32 MiB are not read" && !error.problem.rendered.contains("install"))
  }

  @Test("an exit status, a signal, and what both say when the program says nothing")
  func endings() async throws {
    let failed = try await sh("echo out; echo why >&2; exit 7")
    #expect(failed.ending == .status(7) && failed.output == "out\n" && failed.reason == "why\n" && !failed.succeeded)
    #expect(try await sh("exit 1").reason == "it ended with exit status 1 and said nothing")
    let killed = try await sh("kill -9 $$")
    #expect(killed.ending == .signal(9) && killed.reason.hasPrefix("it was killed by signal 9 ("))
  }

  @Test("a program ends when it ends: a grandchild that keeps its output open is not waited for")
  func orphan() async throws {
    let result = try await sh("setsid sleep 600 & echo $!")
    let pid = try #require(pid_t(result.output.trimmingCharacters(in: .newlines)))
    #expect(kill(pid, 0) == 0)
    kill(pid, SIGKILL)
  }

  @Test("one that takes too long is ended with its group, and with it what it started")
  func late() async throws {
    try await withTemporaryFolder { folder in
      await #expect(throws: LimitPassed.self) {
        try await sh("sleep 600 & echo $! >\(folder)/pid; wait", limit: .seconds(2))
      }
      let text = try String(contentsOfFile: folder + "/pid", encoding: .utf8)
      let pid = try #require(pid_t(text.trimmingCharacters(in: .newlines)))
      // Killed by now; its new parent may take a moment to see it.
      let stat = { (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ") Z" }
      while !stat().contains(") Z") { try await Task.sleep(for: .milliseconds(5)) }
    }
  }

  @Test("input arrives whole, and a program that does not read it is no failure")
  func input() async throws {
    let long = String(repeating: "0123456789\n", count: 100_000)
    let tool = ChildTool(program: "sh", environment: environment)
    #expect(try await tool.run(["-c", "cat"], input: long, limit: .seconds(300)).output == long)
    #expect(try await tool.run(["-c", "exit 0"], input: long, limit: .seconds(300)).succeeded)
  }
}

@Suite("What a killed command leaves in the temporary folder goes with the next one")
struct ScratchFolderTests {
  @Test("one that is in use stays, also while only a child holds it; one whose owner is gone is swept away")
  func sweep() throws {
    var folder: ScratchFolder? = try ScratchFolder("test")
    let path = try #require(folder?.path)
    try Data("x".utf8).write(to: URL(filePath: path + "/file"))
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o700)
    ScratchFolder.sweep()
    #expect(FileManager.default.fileExists(atPath: path + "/file"))
    let child = fcntl(try #require(folder?.lock), F_DUPFD_CLOEXEC, 0)  // as a child has it
    folder = nil
    ScratchFolder.sweep()
    #expect(FileManager.default.fileExists(atPath: path + "/file"))
    close(child)
    ScratchFolder.sweep()
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("what is ours by name alone, or another's through a link, is left alone")
  func leavesOthers() async throws {
    try await withTemporaryFolder { folder in
      let inner = folder + "/inner"
      try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
      try Data().write(to: URL(filePath: inner + "/.cf-bench-scratch"))
      let parent = FileManager.default.temporaryDirectory
      let link = parent.appending(path: "cf-bench-link-\(UUID().uuidString)").path
      let unlocked = parent.appending(path: "cf-bench-other-\(UUID().uuidString)").path
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: inner)
      defer { unlink(link) }
      try FileManager.default.createDirectory(atPath: unlocked, withIntermediateDirectories: false)
      defer { rmdir(unlocked) }
      ScratchFolder.sweep()
      for path in [inner + "/.cf-bench-scratch", link, unlocked] {
        #expect(FileManager.default.fileExists(atPath: path))
      }
    }
  }
}
