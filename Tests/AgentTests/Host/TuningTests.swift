import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("Tuning turns what it may, says what it could not, and puts everything back")
struct TuningTests {
  private static let policies = ["0", "1"].map { "/sys/devices/system/cpu/cpufreq/policy\($0)/scaling_governor" }

  /// A machine with every knob, and a place for the record.
  private struct Testbed {
    let machine: FakeMachine
    let record: String
    var tuning: MachineTuning { MachineTuning(files: machine.files, record: record, isRoot: true) }

    init(_ folder: String) throws {
      machine = FakeMachine(root: folder + "/root")
      record = folder + "/tuning/tuning.json"
      try FileManager.default.createDirectory(atPath: folder + "/tuning", withIntermediateDirectories: true)
      try machine.put("0\n", at: KernelPaths.noTurbo)
      try machine.put("powersave\n", at: policies[0])
      try machine.put("schedutil\n", at: policies[1])
      try machine.put("2\n", at: KernelPaths.addressRandomisation)
    }

    /// Turbo, both governors, randomisation.
    var values: [String?] {
      ([KernelPaths.noTurbo] + policies + [KernelPaths.addressRandomisation]).map { machine.files.text($0) }
    }
    var hasRecord: Bool { FileManager.default.fileExists(atPath: record) }

    /// As ``tuning``, with a kernel that answers in its own way; the real writing is handed to it.
    func tuning(
      isRoot: Bool = true, _ kernel: @escaping (String, String, (String, String) -> Int32) -> Int32
    ) -> MachineTuning {
      var tuning = tuning
      tuning.isRoot = isRoot
      let plain = tuning.files.writer
      tuning.files.writer = { kernel($0, $1, plain) }
      return tuning
    }
  }

  private static let original: [String?] = ["0", "powersave", "schedutil", "2"]
  private static let tuned: [String?] = ["1", "performance", "performance", "0"]

  @Test("every knob: before, wanted, read back; then back again, and no record left")
  func allKnobs() async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      let reports = testbed.tuning.tune()
      #expect(
        reports == [
          TuningReport(knob: .turbo, before: "on", wanted: "off", after: "off", outcome: .changed),
          TuningReport(
            knob: .governor, before: "powersave, schedutil", wanted: "performance", after: "performance",
            outcome: .changed),
          TuningReport(knob: .addressRandomisation, before: "2", wanted: "0", after: "0", outcome: .changed),
        ])
      #expect(testbed.values == Self.tuned)
      #expect(testbed.hasRecord)
      #expect(testbed.tuning.restore() == [])
      #expect(testbed.values == Self.original)
      #expect(!testbed.hasRecord)
      #expect(testbed.tuning.restore() == [])
    }
  }

  @Test("the record with the originals is there before the first change")
  func recordFirst() async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      nonisolated(unsafe) var recorded: [TuningRecord?] = []
      _ = testbed.tuning { path, text, plain in
        recorded.append((try? TuningRecord.read(testbed.record)) ?? nil)
        return plain(path, text)
      }.tune()
      #expect(recorded.count == 4)
      #expect(recorded.allSatisfy { $0?.originals.map(\.value) == ["0", "powersave", "schedutil", "2"] })
    }
  }

  @Test("a machine that shows nothing, and one that stands as wanted, need no record")
  func nothingToDo() async throws {
    try await withTemporaryFolder { folder in
      let bare = MachineTuning(files: MachineFiles(root: folder), record: folder + "/tuning.json", isRoot: true)
      #expect(bare.tune().map(\.outcome) == [.notVisible, .notVisible, .notVisible])
      let testbed = try Testbed(folder)
      for (path, value) in zip(
        [KernelPaths.noTurbo] + Self.policies + [KernelPaths.addressRandomisation], Self.tuned.compactMap { $0 })
      { try testbed.machine.put(value + "\n", at: path) }
      #expect(testbed.tuning.tune().map(\.outcome) == [.alreadySo, .alreadySo, .alreadySo])
      #expect(!testbed.hasRecord)
    }
  }

  @Test("cpufreq's boost stands in for intel_pstate, with its meaning the other way round")
  func boost() async throws {
    try await withTemporaryFolder { folder in
      let machine = FakeMachine(root: folder)
      try machine.put("1\n", at: KernelPaths.boost)
      let tuning = MachineTuning(files: machine.files, record: folder + "/tuning.json", isRoot: false)
      let report = try #require(tuning.tune().first)
      #expect(report == TuningReport(knob: .turbo, before: "on", wanted: "off", after: "off", outcome: .changed))
      #expect(machine.files.text(KernelPaths.boost) == "0")
    }
  }

  @Test("without root the address layout is left alone, and what is not writable is said")
  func notPermitted() async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      let reports = testbed.tuning(isRoot: false) { path, text, plain in
        path.hasSuffix("no_turbo") ? EACCES : plain(path, text)
      }.tune()
      #expect(reports.map(\.outcome) == [.notPermitted, .changed, .notPermitted])
      #expect(reports[0].before == "on" && reports[0].after == "on" && reports[0].detail == "Permission denied")
      #expect(testbed.values == ["0", "performance", "performance", "2"])
      #expect(testbed.tuning.restore() == [])
      #expect(testbed.values == Self.original && !testbed.hasRecord)
    }
  }

  @Test("a change that does not take, or takes on one CPU only, is read back and said")
  func didNotTake() async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      let reports = testbed.tuning { path, text, plain in
        path.hasSuffix("no_turbo") || path.contains("policy1") ? 0 : plain(path, text)
      }.tune()
      #expect(reports.map(\.outcome) == [.didNotTake, .didNotTake, .changed])
      #expect(reports[0].detail?.contains("another value") == true)
      #expect(reports[1].after == "performance, schedutil")
      #expect(testbed.tuning.restore() == [])
      #expect(testbed.values == Self.original && !testbed.hasRecord)
    }
  }

  @Test("killed between the record and the change: the next start finds nothing to change and removes the record")
  func killedBeforeChange() async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      _ = testbed.tuning { _, _, _ in EIO }.tune()  // the record is written, no value is
      #expect(testbed.hasRecord && testbed.values == Self.original)
      #expect(testbed.tuning.restore() == [])
      #expect(testbed.values == Self.original && !testbed.hasRecord)
    }
  }

  @Test("killed after the change: the next job puts back first, and a second tuning keeps the first originals")
  func killedAfterChange() async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      _ = testbed.tuning.tune()
      // Somebody tunes again without putting back: the values that stand are not the originals.
      #expect(testbed.tuning.tune().map(\.outcome) == [.alreadySo, .alreadySo, .alreadySo])
      try testbed.machine.put("ondemand\n", at: Self.policies[0])
      _ = testbed.tuning.tune()
      #expect(try TuningRecord.read(testbed.record)?.originals.map(\.value) == ["0", "powersave", "schedutil", "2"])
      let sink = CollectedEvents()
      let during = try JobTuning(machine: testbed.tuning, sink: sink, own: { [] }).around(isAsked: false) {
        testbed.values
      }
      #expect(during == Self.original)
      #expect(!testbed.hasRecord && sink.all.isEmpty)
    }
  }

  @Test("what can't be put back keeps the record and names the command to type; once typed, the record goes")
  func cannotRestore() async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      _ = testbed.tuning.tune()
      let problems = testbed.tuning { path, text, plain in
        path.hasSuffix("randomize_va_space") ? 0 : path.hasSuffix("no_turbo") ? EPERM : plain(path, text)
      }.restore()
      #expect(testbed.hasRecord)
      #expect(testbed.values == ["1", "powersave", "schedutil", "0"])
      #expect(problems.count == 2)
      #expect(problems.first?.why?.contains("Operation not permitted") == true)
      #expect(problems.last?.why?.contains("was 2 and is 0") == true)
      #expect(
        problems.last?.fix.contains("sudo sh -c 'echo 2 > /proc/sys/kernel/randomize_va_space'") == true)
      try testbed.machine.put("2\n", at: KernelPaths.addressRandomisation)
      try testbed.machine.put("0\n", at: KernelPaths.noTurbo)
      #expect(testbed.tuning.restore() == [])
      #expect(!testbed.hasRecord)
    }
  }

  @Test("a CPU that was taken away meanwhile has nothing to put back")
  func goneFile() async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      _ = testbed.tuning.tune()
      try FileManager.default.removeItem(atPath: testbed.machine.root + Self.policies[1])
      #expect(testbed.tuning.restore() == [])
      #expect(!testbed.hasRecord)
    }
  }

  @Test(
    "a damaged record is said and moved aside, and nothing that it says is done",
    arguments: [
      "", "{\"schema\":1,\"orig", "{\"schema\":2,\"originals\":[]}",
      "{\"schema\":1,\"originals\":[{\"path\":\"/etc/passwd\",\"value\":\"x\"}]}",
      "{\"schema\":1,\"originals\":[{\"value\":\"x\",\"path\":"
        + "\"/sys/devices/system/cpu/cpufreq/policy0/../x/scaling_governor\"}]}",
      "{\"schema\":1,\"originals\":[{\"path\":\"/proc/sys/kernel/randomize_va_space\",\"value\":\"2'; rm -rf /\"}]}",
    ])
  func damaged(text: String) async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      try Data(text.utf8).write(to: URL(filePath: testbed.record))
      let problem = try #require(testbed.tuning.restore().first)
      #expect(problem.what.contains("damaged"))
      #expect(testbed.values == Self.original && !testbed.hasRecord)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/tuning")
      let aside = names.filter { $0.contains(".damaged-") }
      #expect(aside.count == 1 && problem.why?.contains(aside[0]) == true)
      #expect(testbed.tuning.tune().map(\.outcome) == [.changed, .changed, .changed])
      #expect(testbed.tuning.restore() == [])
    }
  }

  @Test("where the record can't be written nothing is changed")
  func noRecord() async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      let tuning = MachineTuning(files: testbed.machine.files, record: folder + "/none/tuning.json", isRoot: true)
      let reports = tuning.tune()
      #expect(reports.map(\.outcome) == [.notPermitted, .notPermitted, .notPermitted])
      #expect(reports[0].detail?.contains("No such file or directory") == true)
      #expect(testbed.values == Self.original)
    }
  }

  private struct Failure: Error {}

  @Test("around a job: tuned while it runs, put back when it returns and when it throws", arguments: [false, true])
  func aroundJob(fails: Bool) async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      let sink = CollectedEvents()
      let own = TuningReport(knob: .priority, before: "0", wanted: "-10", after: "0", outcome: .notPermitted)
      let tuning = JobTuning(machine: testbed.tuning, sink: sink, own: { [own] })
      var during: [String?] = []
      func job() throws {
        during = testbed.values
        if fails { throw Failure() }
      }
      if fails {
        #expect(throws: Failure.self) { try tuning.around(isAsked: true, job) }
      } else {
        try tuning.around(isAsked: true, job)
      }
      #expect(during == Self.tuned)
      #expect(testbed.values == Self.original && !testbed.hasRecord)
      let knobs = sink.all.compactMap { if case .tuned(let report) = $0.event { report.knob } else { nil } }
      #expect(knobs == [.turbo, .governor, .addressRandomisation, .priority])
    }
  }

  @Test("what could not be put back is trouble in the journal; without being asked nothing is turned")
  func trouble() async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      let sink = CollectedEvents()
      try JobTuning(machine: testbed.tuning, sink: sink, own: { [] }).around(isAsked: false) {
        #expect(testbed.values == Self.original)
      }
      #expect(sink.all.isEmpty)
      nonisolated(unsafe) var isStuck = false
      let stuck = testbed.tuning { path, text, plain in isStuck ? 0 : plain(path, text) }
      try JobTuning(machine: stuck, sink: sink, own: { [] }).around(isAsked: true) { isStuck = true }
      let troubles = sink.troubles.map(\.problem.fix)
      #expect(troubles.count == 4 && troubles.allSatisfy { $0.contains("sudo sh -c 'echo ") })
      #expect(testbed.hasRecord)
    }
  }

  @Test("the next start of an agent leaves it to a job that measures, and puts back when none does")
  func nextStart() async throws {
    try await withTemporaryFolder { folder in
      let testbed = try Testbed(folder)
      let environment = ["CF_BENCH_HOME": folder, "CF_BENCH_LOCK": folder + "/lock"]
      let home = AgentHome(environment: environment)
      #expect(home.tuningRecord == testbed.record)
      _ = testbed.tuning.tune()
      let job = try #require(FileLock(path: folder + "/lock", create: true))
      #expect(job.tryLock())
      LeftTuning.restore(home: home, environment: environment, files: testbed.machine.files)
      #expect(testbed.values == Self.tuned && testbed.hasRecord)
      let other = folder + "/other"
      LeftTuning.restore(
        home: home, environment: environment.merging(["CF_BENCH_LOCK": other]) { $1 }, files: testbed.machine.files)
      #expect(testbed.values == Self.original && !testbed.hasRecord)
      withExtendedLifetime(job) {}
      // Without a record not even the lock is touched.
      try FileManager.default.removeItem(atPath: other)
      LeftTuning.restore(
        home: home, environment: environment.merging(["CF_BENCH_LOCK": other]) { $1 }, files: testbed.machine.files)
      #expect(!FileManager.default.fileExists(atPath: other))
    }
  }

  @Test("the CPUs for a job: all but the first, if there is another")
  func affinity() {
    #expect(OwnTuning.wanted(of: [0, 1, 2]) == [1, 2])
    #expect(OwnTuning.wanted(of: [0]) == [0])
    #expect(OwnTuning.wanted(of: [3, 4]) == [3, 4])
    #expect(OwnTuning.wanted(of: []) == [])
  }
}
