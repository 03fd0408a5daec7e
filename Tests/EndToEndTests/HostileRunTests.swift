import Foundation
import Shared
import TestSupport
import Testing

@Suite("Hostile names through the whole program", .programs)
struct HostileRunTests {
  @Test("branches that are programs to a shell are measured like any other")
  func branches() async throws {
    try await Testbed.with { testbed in
      let canary = testbed.folder + "/canary"
      let repository = testbed.folder + "/fast"
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1, repository: repository))
      try testbed.writeProjects()
      // GitHub's own example of a hostile branch, and one that would leave a file.
      let branches = ["zzz\";echo${IFS}\"hello\";#", "x$(touch${IFS}\(canary))`touch${IFS}\(canary)`"]
      try await testbed.git("init", "-q", "-b", "main", repository)
      try await testbed.commit(repository, "only")
      for branch in branches { try await testbed.git("-C", repository, "branch", branch) }
      let run = try await testbed.bench(["compare", branches[0], branches[1], "--layers", "startup"])
      #expect(run.status == Shared.ExitStatus.done.rawValue, "\(run.error)")
      #expect(!FileManager.default.fileExists(atPath: canary))
      for name in try testbed.results() {
        #expect(name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"/$`\";#".utf8.contains($0) })
      }
      let comment = try testbed.read("\(try testbed.comparisonFolder())/comment.md")
      #expect(comment.contains("zzz\"") && !comment.contains("\n#\""))
    }
  }

  @Test("refs, settings and machines that are programs, options or unseen letters end quickly with the reason")
  func refused() async throws {
    try await Testbed.with { testbed in
      let canary = testbed.folder + "/canary"
      let repository = testbed.folder + "/fast"
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1, repository: repository))
      try testbed.writeProjects()
      try await testbed.git("init", "-q", "-b", "main", repository)
      try await testbed.commit(repository, "only")
      let refs = [
        "main;touch${IFS}\(canary)", "$(touch${IFS}\(canary))", "`touch${IFS}\(canary)`", "main^{/x}y",
        "../../etc/passwd",
        "refs/heads/*", "@{-1}", "a\u{202e}b", "main\u{1b}[2J", "%s%n", "😀", String(repeating: "a", count: 4000),
        "path:../../..", "six==1.0;touch${IFS}\(canary)",
      ]
      var doors =
        refs.map { ["run", "--", $0] } + [["run", "--", "--upload-pack=touch \(canary)"], ["cancel", "--", "../x"]]
      for setting in [
        "target.package=--index-url=x", "target.import=os; os.system('touch \(canary)')",
        "python=3.12; touch \(canary)",
        "azure.vm=@/etc/passwd", "azure.resource-group=--ids", "results=\u{1b}[2J", "secrets=[PATH]",
      ] {
        doors.append(["run", "path:fast", "--set", setting])
      }
      for machine in ["ssh://-oProxyCommand=touch${IFS}\(canary)", "ssh://u@h\u{202e}x", "$(touch \(canary))"] {
        doors.append(["run", "path:fast", "--machine", machine])
      }
      for arguments in doors {
        let run = try await testbed.bench(arguments)
        #expect(run.status == Shared.ExitStatus.usage.rawValue, "\(arguments): \(run.status ?? -1) \(run.error)")
        #expect(run.error.contains("fix:") && !run.error.contains("\u{1b}") && !run.error.contains("\u{202e}"))
      }
      #expect(!FileManager.default.fileExists(atPath: canary))
    }
  }
}
