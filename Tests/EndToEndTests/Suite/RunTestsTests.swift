import Foundation
import TestSupport
import Testing

@Suite("CI runs a test that failed once more, alone, and names it when it passes then", .programs)
struct RunTestsTests {
  /// Stands for `swift test`: three tests, of which `shaky()` ends as the words of `plan` say, one for each time that it runs.
  private static let stand = #"""
    import json, os, sys

    arguments = sys.argv[1:]
    stream = open(arguments[arguments.index("--event-stream-output-path") + 1], "w")
    only = arguments[arguments.index("--filter") + 1] if "--filter" in arguments else None
    plan = open("plan").read().split()
    with open("calls", "a") as calls:
        calls.write((only or "all") + "\n")

    def tell(record, **payload):
        stream.write(json.dumps({"kind": record, "version": 0, "payload": payload}) + "\n")
        stream.flush()

    failed = False
    for name in ["calm()", "shaky()", "late()"]:
        test = f"Some.Tests/{name}/Tests.swift:7:4"
        if only and only != f"^Some\\.Tests/{name}$|^Some\\.Tests/{name}/".replace("(", "\\(").replace(")", "\\)"):
            continue
        tell("test", kind="function", id=test, name=name, displayName="the " + name[:-2] + " one")
        tell("event", kind="testStarted", testID=test)
        if name == "shaky()":
            word = plan.pop(0)
            open("plan", "w").write(" ".join(plan))
            if word == "dies":
                os.abort()
            if word == "fails":
                failed = True
                tell("event", kind="issueRecorded", testID=test, issue={"isKnown": False})
        tell("event", kind="testEnded", testID=test)
    tell("event", kind="runEnded")
    print("Test run with tests", "failed" if failed else "passed")
    sys.exit(1 if failed else 0)
    """#

  private func run(_ plan: String) async throws -> (status: Int32?, last: [Substring], calls: [Substring]) {
    var outcome: (Int32?, [Substring], [Substring]) = (nil, [], [])
    try await Testbed.with { testbed in
      try testbed.write("stand.py", Self.stand)
      try testbed.write("plan", plan)
      let run = try await testbed.tool(
        "python3", [Testbed.packageRoot + "/scripts/run-tests.py", "python3", "stand.py"])
      outcome = (run.status, run.output.split(separator: "\n"), try testbed.read("calls").split(separator: "\n"))
    }
    return outcome
  }

  private static let alone = #"^Some\.Tests/shaky\(\)$|^Some\.Tests/shaky\(\)/"#

  @Test("all pass: nothing is added to what they said")
  func passed() async throws {
    let run = try await run("passes")
    #expect(run.status == 0 && run.last == ["Test run with tests passed"] && run.calls == ["all"])
  }

  @Test("one that passes the second time")
  func flaky() async throws {
    let run = try await run("fails passes")
    #expect(run.status == 0 && run.last.suffix(2) == ["FLAKY: the shaky one", "3 passed, 0 failed"], "\(run.last)")
    #expect(run.calls == ["all", Self.alone[...]])
  }

  @Test("one that fails twice")
  func failed() async throws {
    let run = try await run("fails fails")
    #expect(run.status == 1 && run.last.last == "run-tests: it failed twice: the shaky one", "\(run.last)")
    #expect(run.calls == ["all", Self.alone[...]])
  }

  @Test("a process that dies: the test that ran then runs alone, and all of them again")
  func died() async throws {
    let run = try await run("dies passes passes")
    #expect(run.status == 0 && run.last.suffix(2) == ["FLAKY: the shaky one", "3 passed, 0 failed"], "\(run.last)")
    #expect(run.calls == ["all", Self.alone[...], "all"])
  }
}
