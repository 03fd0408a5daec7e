import Foundation
import Shared
import TestSupport
import Testing

@Suite("Output that can't be written ends with a status, and what is written is whole", .programs)
struct OutputTests {
  /// Runs a line of shell in which `$BENCH` and `$AGENT` are the programs.
  private func shell(_ testbed: Testbed, _ line: String) async throws -> Testbed.Result {
    var testbed = testbed
    testbed.environment["BENCH"] = try BuiltProduct.path("cf-bench")
    testbed.environment["AGENT"] = try BuiltProduct.path("cf-bench-agent")
    return try await testbed.tool("bash", ["-c", line])
  }

  /// Descriptor 3 is a pipe whose reader is gone.
  private static let gonePipe = "exec 3> >(:); wait $!;"

  private static let commands = [
    "$BENCH settings", "$BENCH settings --json", "$BENCH settings --example", "$BENCH --help", "$BENCH help compare",
    "$BENCH --version", "$BENCH compare --help", "$BENCH --generate-completion-script bash", "$AGENT version",
    "$AGENT --help",
    "$AGENT --version",
  ]

  @Test(
    "a full or closed standard output is an error in three lines, with status 3", arguments: commands,
    [">/dev/full", ">&-"])
  func unwritable(command: String, redirection: String) async throws {
    try await Testbed.with { testbed in
      let result = try await shell(testbed, "\(command) \(redirection)")
      #expect(result.status == 3, "\(result)")
      #expect(
        result.output.isEmpty && result.error.hasPrefix("error: standard output can't be written\n  why: "), "\(result)"
      )
      #expect(
        result.error.contains(redirection == ">&-" ? "Bad file descriptor" : "No space left on device"), "\(result)")
    }
  }

  @Test("a reader that goes away ends it quietly, with the status of SIGPIPE", arguments: commands)
  func brokenPipe(command: String) async throws {
    try await Testbed.with { testbed in
      let result = try await shell(testbed, "\(Self.gonePipe) \(command) >&3")
      #expect(result.status == 141, "\(result)")
      #expect(result.error.isEmpty, "\(result)")
    }
  }

  @Test("errors that can't be said change no status", arguments: ["2>/dev/full", "2>&-", "2>&- >&-"])
  func silent(redirection: String) async throws {
    try await Testbed.with { testbed in
      for program in ["$BENCH compare", "$AGENT"] {
        let result = try await shell(testbed, "\(program) --nonsense \(redirection)")
        #expect(result.status == 2, "\(result)")
      }
    }
  }

  @Test("a closed output's number goes to no file: what is printed ends up in none of the results")
  func closed() async throws {
    try await Testbed.with { testbed in
      try testbed.write(
        "s.csv",
        "metric,block,position,side,value\n" + (0..<40).map { "a,,,\($0 % 2 == 0 ? "base" : "head"),1\n" }.joined())
      let result = try await shell(testbed, "$BENCH analyze s.csv >&- 2>&- <&-; echo $?; cat s.csv | wc -l")
      #expect(result.output == "3\n41\n", "\(result)")
    }
  }

  @Test("a step whose runner can't be told what to mask measures nothing, and says why")
  func step() async throws {
    try await Testbed.with { testbed in
      var testbed = testbed
      testbed.environment["GITHUB_REPOSITORY"] = "octo/project"
      testbed.environment["GH_TOKEN"] = "some-token"
      let full = try await shell(testbed, "$BENCH ci >/dev/full")
      #expect(full.status == 3 && full.error.contains("standard output can't be written"), "\(full)")
      let gone = try await shell(testbed, "\(Self.gonePipe) $BENCH ci >&3")
      #expect(gone.status == 141 && gone.error.isEmpty, "\(gone)")
    }
  }

  @Test("what programs read is not masked, whatever variables are called and hold; text for people is")
  func machineRead() async throws {
    try await Testbed.with { testbed in
      try testbed.write(
        "s.csv",
        "metric,block,position,side,value\n"
          + (0..<30).map { block in
            [("base", 1.0), ("head", 1.2)].enumerated().map { position, side in
              "codeflash,\(block),\((position + block) % 2),\(side.0),\(side.1 + 0.001 * Double(block % 7))\n"
            }.joined()
          }.joined())
      let extra = [
        "CI_SORT_KEY": "regressed", "PROJECT_KEY": "codeflash", "X_TOKEN": "regressed", "Y_PASSWORD": "codeflash",
      ]
      let json = try await testbed.bench(["analyze", "s.csv", "--json"], extra: extra)
      let document = try JSONDecoder().decode(ComparisonDocument.self, from: Data(json.output.utf8))
      #expect(document.verdict == .regressed && document.metrics.map(\.name) == ["codeflash"], "\(json.output)")
      let settings = try await testbed.bench(["settings", "--json"], extra: extra)
      #expect(settings.output.contains(#""value" : "codeflash""#), "\(settings.output)")
      // Called like a secret without doubt: masked for people.
      let masked = try await testbed.bench(["analyze", "s.csv"], extra: extra)
      #expect(masked.output.contains("***"))
      let harmless = ["CI_SORT_KEY": "regressed", "PROJECT_KEY": "codeflash"]
      let plain = try await testbed.bench(["analyze", "s.csv"], extra: harmless)
      #expect(!plain.output.contains("***"))
    }
  }

  @Test("a variable of the agent's own documents is no controller's error")
  func agentVariables() async throws {
    try await Testbed.with { testbed in
      let result = try await testbed.bench(
        ["settings"], extra: ["CF_BENCH_KEEP_DAYS": "7", "CF_BENCH_CGROUP": "no", "CF_BENCH_CONFINE": "no"])
      #expect(result.status == 0, "\(result.error)")
    }
  }
}
