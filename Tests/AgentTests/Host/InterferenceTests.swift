import Foundation
import TestSupport
import Testing

@testable import AgentCore

@Suite("What else the machine did during a block")
struct InterferenceTests {
  private func use(steal: Double = 0, foreign: Double = 0) -> HostUse {
    HostUse(seconds: 2, stealShare: steal, foreignShare: foreign)
  }

  @Test("counters of captured texts")
  func captured() async throws {
    try await withTemporaryFolder { root in
      let machine = FakeMachine(root: root)
      try machine.put("cpu  1000 20 300 50000 700 4 6 80 900 0\ncpu0 1 2 3\n", at: "/proc/stat")
      try machine.put("some avg10=0 avg60=0 avg300=0 total=1000000\n", at: "/proc/pressure/cpu")
      let before = HostCounters.read(machine.files, time: 100, ownSeconds: 1)
      #expect(abs(before.busySeconds - 1330 * ClockTick.seconds) < 1e-9)
      #expect(abs(before.idleSeconds - 50700 * ClockTick.seconds) < 1e-9)
      #expect(abs(before.stealSeconds - 80 * ClockTick.seconds) < 1e-9)
      #expect(before.memoryPressureSeconds == nil)
      try machine.put("cpu  1200 20 400 50100 700 4 6 90 900 0\n", at: "/proc/stat")
      try machine.put("some avg10=0 avg60=0 avg300=0 total=1500000\n", at: "/proc/pressure/cpu")
      let use = HostCounters.read(machine.files, time: 104, ownSeconds: 1 + 100 * ClockTick.seconds).since(before)
      #expect(use.seconds == 4)
      #expect(abs(use.stealShare - 10 * ClockTick.seconds / 4) < 1e-9)
      #expect(abs(use.foreignShare - 200 * ClockTick.seconds / 4) < 1e-9)
      #expect(abs(try #require(use.cpuPressureShare) - 0.125) < 1e-9)
      #expect(use.memoryPressureShare == nil)
    }
  }

  @Test("own time beyond the machine's is nobody else's; a file that is missing is a quiet machine")
  func bounds() {
    let none = HostCounters.read(MachineFiles(root: "/nonexistent"), time: 1, ownSeconds: 0)
    #expect(none.busySeconds == 0 && none.stealSeconds == 0)
    #expect(HostCounters.read(MachineFiles(root: "/nonexistent"), time: 2, ownSeconds: 1).since(none).foreignShare == 0)
  }

  @Test("the real counters go forward, and own work is own")
  func here() {
    let before = HostCounters.read()
    let probe = SpinProbe.run()
    let after = HostCounters.read()
    #expect(after.time > before.time && after.ownSeconds > before.ownSeconds && after.busySeconds >= before.busySeconds)
    // A step can't be had for less than a fifth of a nanosecond: the work was done.
    #expect(probe.cpuSeconds > Double(SpinProbe.steps) * 0.2e-9)
    #expect(probe.wallSeconds >= probe.cpuSeconds * 0.9)
    let use = after.since(before)
    #expect(use.seconds > 0 && use.foreignShare >= 0 && use.stealShare >= 0)
  }

  @Test("the fixed work is xorshift, step by step")
  func chain() {
    var state: UInt64 = 1
    for _ in 0..<3 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
    }
    #expect(SpinProbe.chain(from: 1, steps: 3) == state)
    #expect(SpinProbe.chain(from: 1, steps: 0) == 1)
  }

  @Test("stolen time")
  func steal() {
    var rule = InterferenceRule()
    #expect(rule.judge(probeBefore: 1, probeAfter: 1, use: use(steal: 0.01)) == nil)
    #expect(rule.judge(probeBefore: 1, probeAfter: 1, use: use(steal: 0.02)) == "2 % of the time was stolen")
  }

  @Test("other processes")
  func foreign() {
    var rule = InterferenceRule()
    #expect(rule.judge(probeBefore: 1, probeAfter: 1, use: use(foreign: 0.25)) == nil)
    #expect(
      rule.judge(probeBefore: 1, probeAfter: 1, use: use(foreign: 0.6)) == "other processes used 0.6 of a core")
  }

  @Test("slow fixed work counts only once five probes were seen, against the median of those before")
  func probes() {
    var rule = InterferenceRule()
    #expect(rule.judge(probeBefore: 1, probeAfter: 1, use: use()) == nil)
    #expect(rule.judge(probeBefore: 9, probeAfter: 9, use: use()) == nil)  // two seen
    #expect(rule.judge(probeBefore: 9, probeAfter: 1, use: use()) == nil)  // four seen
    // Six seen: 1 1 1 9 9 9, the median is 5.
    #expect(rule.judge(probeBefore: 6, probeAfter: 6.5, use: use()) == nil)
    // Eight seen: the median is 6.25.
    #expect(
      rule.judge(probeBefore: 10, probeAfter: 11.25, use: use()) == "the fixed work took 1.7x its usual time")
  }

  @Test("never two in a row, however busy the machine is")
  func alternation() {
    var rule = InterferenceRule()
    let verdicts = (0..<6).map { _ in rule.judge(probeBefore: 1, probeAfter: 1, use: use(foreign: 1)) != nil }
    #expect(verdicts == [true, false, true, false, true, false])
  }
}
