import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("The witness tells what the kernel shows, and nothing that it does not show")
struct HostInfoTests {
  /// A line of `/proc/PID/stat` as Linux 6 writes it.
  private func stat(_ pid: Int, _ name: String, parent: Int, user: Int, system: Int, start: Int) -> String {
    "\(pid) (\(name)) S \(parent) \(pid) \(pid) 0 -1 4194560 1 2 3 4 \(user) \(system) 9 9 20 0 1 0 \(start) 1 2 3\n"
  }

  @Test("a virtual machine with cpufreq")
  func talkative() async throws {
    try await withTemporaryFolder { root in
      let machine = FakeMachine(root: root)
      try machine.put(
        "model name\t: AMD EPYC\ncpu MHz\t\t: 2596.100\nflags\t\t: fpu hypervisor sse\n", at: "/proc/cpuinfo")
      try machine.put("QEMU\n", at: "/sys/class/dmi/id/sys_vendor")
      try machine.put("Standard PC\u{1b}[31m\n", at: "/sys/class/dmi/id/product_name")
      try machine.put("powersave\n", at: "/sys/devices/system/cpu/cpufreq/policy0/scaling_governor")
      try machine.put("performance\n", at: "/sys/devices/system/cpu/cpufreq/policy10/scaling_governor")
      try machine.put("3400000\n", at: "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq")
      try machine.put("1\n", at: KernelPaths.noTurbo)
      try machine.put("0,2\n", at: "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list")
      try machine.put("1\n", at: KernelPaths.addressRandomisation)
      try machine.put(
        "MemTotal: 100 kB\nMemAvailable: 50 kB\nSwapTotal: 30 kB\nSwapFree: 10 kB\n", at: "/proc/meminfo")
      try machine.put(
        "some avg10=1.50 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=9\n", at: "/proc/pressure/memory")
      let witness = HostReader(environment: [:], files: machine.files).witness()
      #expect(witness.hypervisor == "QEMU Standard PC[31m")
      #expect(witness.cpuModel == "AMD EPYC")
      #expect(witness.governor == "performance, powersave")
      #expect(witness.frequencyMHz == 3400)
      #expect(witness.turbo == false)
      #expect(witness.threadsPerCore == 2)
      #expect(witness.addressRandomisation == 1)
      #expect(witness.swapUsedBytes == 20 * 1024)
      #expect(witness.memoryPressure == 1.5)
      #expect(witness.cpuPressure == nil)
      #expect(witness.busyProcesses == [])
    }
  }

  @Test("a machine that shows nothing; the board's names alone are no hypervisor")
  func silent() async throws {
    try await withTemporaryFolder { root in
      let machine = FakeMachine(root: root)
      try machine.put("Dell Inc.\n", at: "/sys/class/dmi/id/sys_vendor")
      let witness = HostReader(environment: [:], files: machine.files).witness()
      #expect(witness.hypervisor == nil)
      #expect(witness.governor == nil)
      #expect(witness.frequencyMHz == nil)
      #expect(witness.turbo == nil)
      #expect(witness.addressRandomisation == nil)
      #expect(witness.threadsPerCore == nil)
      #expect(witness.swapUsedBytes == nil)
      #expect(witness.memoryPressure == nil)
    }
  }

  @Test("busy processes: names with parentheses, numbers used again, and the own tree left out")
  func busy() throws {
    func times(_ lines: [String]) throws -> [pid_t: ProcessTimes] {
      var all: [pid_t: ProcessTimes] = [:]
      for line in lines {
        let pid = try #require(pid_t(line.split(separator: " ")[0]))
        let times: ProcessTimes = try #require(ProcessTimes(line))
        all[pid] = times
      }
      return all
    }
    let before = try times([
      stat(10, "agent", parent: 1, user: 100, system: 0, start: 5),
      stat(20, "a) b (c", parent: 1, user: 100, system: 7, start: 5),
      stat(30, "old", parent: 1, user: 5000, system: 0, start: 5),
    ])
    let after = try times([
      stat(10, "agent", parent: 1, user: 120, system: 0, start: 5),
      stat(11, "child", parent: 10, user: 20, system: 0, start: 900),
      stat(12, "grandchild", parent: 11, user: 20, system: 0, start: 900),
      stat(20, "a) b (c", parent: 1, user: 106, system: 11, start: 5),
      stat(30, "new", parent: 1, user: 4, system: 0, start: 901),
      stat(40, "quiet", parent: 1, user: 0, system: 1, start: 5),
    ])
    let found = BusyProcesses.difference(before, after, seconds: 20 * ClockTick.seconds, withoutTreeOf: 10)
    #expect(found.map(\.name) == ["a) b (c", "new"])
    #expect(found.map(\.pid) == [20, 30])
    #expect(abs(try #require(found.first).share - 0.5) < 1e-9)
    #expect(ProcessTimes("") == nil)
    #expect(ProcessTimes("7 (x) S 1") == nil)
  }

  @Test("at most five, the busiest first")
  func most() throws {
    let after = Dictionary(
      uniqueKeysWithValues: try (1...9).map {
        (pid_t($0), try #require(ProcessTimes(stat($0, "p\($0)", parent: 0, user: $0 * 2, system: 0, start: 1))))
      })
    let found = BusyProcesses.difference([:], after, seconds: 20 * ClockTick.seconds, withoutTreeOf: 99)
    #expect(found.map(\.pid) == [9, 8, 7, 6, 5])
  }

  @Test("this machine: what is said is possible, and this process is not among the busy ones")
  func here() {
    let witness = HostReader(environment: ["PATH": "/usr/bin:/bin"]).witness()
    #expect(witness.cpuCount > 0 && !witness.bootID.isEmpty)
    #expect((witness.busyProcesses ?? []).allSatisfy { $0.pid != getpid() && $0.share > 0.05 })
  }

  @Test("lists of CPUs", arguments: [("0", [0]), ("0-3,8", [0, 1, 2, 3, 8]), ("1,3", [1, 3])])
  func lists(text: String, numbers: [Int]) {
    #expect(CPUList.numbers(text) == numbers)
    #expect(CPUList.text(numbers) == text)
    #expect(CPUList.numbers("3-1") == [] && CPUList.numbers("x") == [] && CPUList.text([2, 1, 1]) == "1-2")
  }
}
