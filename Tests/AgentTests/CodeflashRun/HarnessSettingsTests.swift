import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("A setting of the harness counts on a side when the target shows it there", .programs)
struct HarnessSettingsTests {
  /// A side whose Python finds a package `codeflash` with this module of constants; none where that is nil.
  private func side(_ arm: Arm, _ constants: String?, in testbed: SideTestbed) throws -> SideEnvironment {
    let path = "\(testbed.folder)/\(arm.rawValue)"
    for name in ["codeflash", "codeflash/code_utils"] {
      try testbed.write("\(arm.rawValue)/lib/\(name)/__init__.py", "")
    }
    if let constants { try testbed.write("\(arm.rawValue)/lib/codeflash/code_utils/config_consts.py", constants) }
    try placeFolder("\(path)/bin")
    try placeProgram(
      "#!/bin/sh\nPYTHONPATH='\(path)/lib' exec '\(try testbed.python())' \"$@\"\n", at: "\(path)/bin/python")
    return SideEnvironment(arm: arm, label: "release \(arm.rawValue)", path: path)
  }

  private func placeFolder(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  private let constant = "TOTAL_LOOPING_TIME = 10.0\nTOTAL_LOOPING_TIME_EFFECTIVE = TOTAL_LOOPING_TIME\n"
  private let variable =
    "import os\nTOTAL_LOOPING_TIME_EFFECTIVE = float(os.getenv('CODEFLASH_LOOPING_TIME', '10.0'))\n"

  private func looping(_ base: String?, _ head: String?) throws -> (
    looping: LoopingTime, seen: [String], remark: String?
  ) {
    let testbed = try SideTestbed()
    let sides = [try side(.base, base, in: testbed), try side(.head, head, in: testbed)]
    let context = try testbed.context(sides, of: "codeflash")
    func environment(_ side: SideEnvironment) -> [String: String] { side.measuredEnvironment(home: testbed.folder) }
    let looping = try LoopingTime(wanted: 0.5, environment: environment, in: context)
    try testbed.write(
      "script.py",
      """
      import sys
      from codeflash.code_utils.config_consts import TOTAL_LOOPING_TIME_EFFECTIVE as seconds
      print(seconds, sys.argv[1:], sys.path[0].endswith('\(URL(filePath: testbed.folder).lastPathComponent)'))
      """)
    let seen = try sides.map { side in
      let outcome = try ChildProcess(
        words: [side.interpreter] + looping.words([testbed.folder + "/script.py", "--function", "f"]),
        environment: environment(side).merging(looping.environment) { $1 }, directory: "/", limitSeconds: 300
      ).run()
      return outcome.outputText.trimmingCharacters(in: .newlines)
    }
    for _ in 0..<2 {
      try looping.saw(["0.5"], RequestLog(requests: []), on: sides[0], isLive: false, in: context)
    }
    let told = testbed.events.all.compactMap { if case .effectiveSettings(let body) = $0.event { body } else { nil } }
    #expect(told.count == 1 && told.first?.settings.first?.value == "0.5 s", "the same is told once")
    return (looping, seen, told.first?.settings.first?.remark)
  }

  @Test("where both sides take the variable it is used; where one has a constant, that is set on both")
  func looping() throws {
    let both = try looping(variable, variable)
    #expect(both.looping.environment == ["CODEFLASH_LOOPING_TIME": "0.5"] && both.remark == nil)
    #expect(both.seen == Array(repeating: "0.5 ['--function', 'f'] True", count: 2))

    let one = try looping(constant, variable)
    #expect(one.looping.environment.isEmpty && one.seen == both.seen)
    #expect(one.remark?.contains("on both sides: release base does not take CODEFLASH_LOOPING_TIME") == true)
  }

  @Test("where neither is there the sides are left alone, and that is said")
  func alone() throws {
    let none = try looping(nil, variable)
    #expect(none.looping.environment.isEmpty && none.looping.words(["x"]) == ["x"])
    #expect(none.remark?.contains("left at codeflash's own on both sides") == true)
  }

  @Test("what holds for every layer is asked of each side's own interpreter")
  func general() throws {
    let testbed = try SideTestbed()
    let context = try testbed.context([try side(.base, nil, in: testbed), try side(.head, nil, in: testbed)])
    try HarnessSettings.general(context)
    let told = testbed.events.all.compactMap { if case .effectiveSettings(let body) = $0.event { body } else { nil } }
    #expect(told.map(\.side) == [.base, .head] && told[0].settings == told[1].settings)
    let values = told[0].settings.map(\.value)
    #expect(values.dropFirst() == ["the job's own", "utf-8, utf-8", "Python's own"])
    #expect(values.first??.wholeMatch(of: /seed 1 makes -?[0-9]+/) != nil)
  }

  @Test("a side that does not take the hash seed is another one than one that does")
  func seed() throws {
    let testbed = try SideTestbed()
    let (base, head) = (try side(.base, nil, in: testbed), try side(.head, nil, in: testbed))
    try placeProgram("#!/bin/sh\nexec env -u PYTHONHASHSEED '\(try testbed.python())' \"$@\"\n", at: head.interpreter)
    try HarnessSettings.general(try testbed.context([base, head]))
    let told = testbed.events.all.compactMap { if case .effectiveSettings(let body) = $0.event { body } else { nil } }
    #expect(told[0].settings[0].value != told[1].settings[0].value)
  }

  @Test("an interpreter that answers nothing is told with its own words")
  func silent() throws {
    let testbed = try SideTestbed()
    let side = try side(.base, nil, in: testbed)
    try placeProgram("#!/bin/sh\necho broken >&2\nexit 3\n", at: side.interpreter)
    let problem = #expect(throws: Problem.self) {
      try HarnessSettings.ask(side, environment: ["PATH": "/usr/bin:/bin"], in: try testbed.context([side]))
    }
    #expect(problem?.what.contains("release base") == true && problem?.why == "broken")
  }

  @Test("the looping time is read from the arguments of the processes that codeflash starts")
  func arguments() throws {
    let testbed = try SideTestbed()
    let waiting = "import os, time\nwhile not os.path.exists('seen'): time.sleep(0.01)"
    var sampler = TreeSampler()
    _ = try ChildProcess(
      words: ["python3", "-c", waiting, "--codeflash_seconds=0.5"],
      environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""], directory: testbed.folder,
      limitSeconds: 300,
      look: (
        0.02,
        {
          sampler.look(at: $0)
          // Seen: the program may end.
          if !sampler.optionValues.isEmpty {
            _ = FileManager.default.createFile(atPath: testbed.folder + "/seen", contents: nil)
          }
        }
      )
    ).run()
    #expect(sampler.optionValues == ["0.5"])
  }
}
