import Foundation
import Glibc
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("What a job's folder tells is read without reading its files whole")
struct JobFolderTests {
  @Test("the end of a runner's log costs no more than that end")
  func outputTail() async throws {
    try await withTemporaryFolder { home in
      let folder = JobFolder(try #require(JobID("job")), in: AgentHome(environment: ["CF_BENCH_HOME": home]))
      try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
      let file = open(folder.log, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      try #require(pwrite(file, "the end\n", 8, 64 << 20) == 8)
      close(file)
      await #expect(processExitsWith: .success) { [home] in
        // In a process of its own: what others read meanwhile must not count.
        func bytesRead() throws -> Int {
          let text = try String(contentsOfFile: "/proc/self/io", encoding: .utf8)
          let field = text.split(separator: "\n").first { $0.hasPrefix("rchar: ") }
          let count = field.flatMap { Int($0.dropFirst(7)) }
          return try #require(count)
        }
        let folder = JobFolder(try #require(JobID("job")), in: AgentHome(environment: ["CF_BENCH_HOME": home]))
        let before = try bytesRead()
        #expect(folder.outputTail.hasSuffix("the end\n"))
        #expect(try bytesRead() - before < 1 << 20)
      }
    }
  }
}
