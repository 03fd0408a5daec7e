import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

@Suite("A command that is killed leaves nothing in the temporary folder once the next one has run", .programs)
struct LeftFolderTests {
  @Test("not even when what would clean up behind it is killed with it")
  func killed() async throws {
    try await Testbed.with { testbed in
      let temporary = testbed.folder + "/tmp"
      try testbed.writeProjects()
      let left = { try FileManager.default.contentsOfDirectory(atPath: temporary).filter { $0.hasPrefix("cf-bench-") } }
      let keys = testbed.environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
      _ = try await Subprocess.run(
        .path(FilePath(try BuiltProduct.path("cf-bench"))),
        arguments: ["run", "path:fast", "--machine", "local", "--layers", "startup"],
        environment: .custom(Dictionary(uniqueKeysWithValues: keys)), workingDirectory: FilePath(testbed.folder),
        input: .none, output: .discarded, error: .discarded
      ) { execution in
        while try !left().contains(where: { FileManager.default.fileExists(atPath: "\(temporary)/\($0)/log") }) {
          try await Task.sleep(for: .milliseconds(5))
        }
        for process in ProcessFamily.of(execution.processIdentifier.value) { kill(process, SIGKILL) }
      }
      #expect(try left().contains { $0.hasPrefix("cf-bench-sshd-") })
      let next = try await testbed.bench(["settings"])
      #expect(next.status == 0, "\(next.error)")
      #expect(try left() == [])
    }
  }
}

enum ProcessFamily {
  /// A process and all that it started, the process first.
  static func of(_ pid: pid_t) -> [pid_t] {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
    let children = threads.flatMap { thread in
      let list = try? String(contentsOfFile: "/proc/\(pid)/task/\(thread)/children", encoding: .utf8)
      return (list ?? "").split(separator: " ").compactMap { pid_t($0) }
    }
    return [pid] + children.flatMap { of($0) }
  }
}
