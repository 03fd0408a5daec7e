import CLibrary
import Foundation
import Shared
import TestSupport
import Testing

@Suite("The VM's watchdog deallocates it when nobody needs it, and only then", .programs)
struct WatchdogTests {
  @Test("idle from the boot on: it stays until the limit, then goes, and each look says why")
  func idle() async throws {
    try await WatchdogTestbed.with { testbed in
      #expect(try await testbed.look(at: 100).decision == "stay: idle for 100 of 900 s; up 100 s, 0 leases")
      #expect(try await testbed.look(at: 899).decision == "stay: idle for 899 of 900 s; up 899 s, 0 leases")
      #expect(try testbed.deallocations == 0)
      let last = try await testbed.look(at: 900)
      #expect(last.decision == "deallocate: idle: nothing for 900 of 900 s: accepted (202)")
      #expect(last.status == 0)
      #expect(try testbed.requests.suffix(4) == ["instance", "token", "look", "deallocate"])
      // It is asked again for as long as the VM is on.
      _ = try await testbed.look(at: 960)
      #expect(try testbed.deallocations == 2)
    }
  }

  @Test("a job keeps it on, and idleness counts from its end", arguments: ["lock", "home/jobs/one/runner"])
  func job(file: String) async throws {
    try await WatchdogTestbed.with { testbed in
      do {
        let lock = try #require(FileLock(path: "\(testbed.folder)/\(file)", create: true))
        #expect(lock.tryLock())
        let look = try await testbed.look(at: 5000)
        let words = "stay: a job: process \(getpid()) holds \(testbed.folder)/\(file); up 5000 s, 0 leases"
        #expect(look.decision == words)
      }
      #expect(try await testbed.look(at: 5060).decision == "stay: idle for 60 of 900 s; up 5060 s, 0 leases")
      #expect(try await testbed.look(at: 5900).decision.hasPrefix("deallocate: idle: nothing for 900 of 900 s"))
    }
  }

  @Test("a session keeps it on for as long as its connection is there")
  func session() async throws {
    try await WatchdogTestbed.with { testbed in
      let connection = try LoopbackConnection()
      testbed.set("CF_BENCH_SSH_PORT", "\(connection.port)")
      #expect(try await testbed.look(at: 5000).decision == "stay: SSH sessions: 1; up 5000 s, 0 leases")
      connection.close()
      #expect(try await testbed.look(at: 5899).decision == "stay: idle for 899 of 900 s; up 5899 s, 0 leases")
      #expect(try await testbed.look(at: 5900).decision.hasPrefix("deallocate: idle"))
    }
  }

  @Test("leases that are over end it, whatever runs; the grace and one lease that holds keep it on")
  func leasesOver() async throws {
    try await WatchdogTestbed.with { testbed in
      let lock = try #require(FileLock(path: testbed.folder + "/lock", create: true))
      #expect(lock.tryLock())
      try testbed.answer(["tags": ["cf-bench-lease-a": WatchdogTestbed.lease(-60), "cf-bench-month": "2026-11=12"]])
      #expect(try await testbed.look(at: 300).decision.hasSuffix("up 300 s, 1 leases"))
      try testbed.answer([
        "tags": ["cf-bench-lease-a": WatchdogTestbed.lease(-600), "cf-bench-lease-b": WatchdogTestbed.lease(60)]
      ])
      #expect(try await testbed.look(at: 360).decision.hasSuffix("up 360 s, 2 leases"))
      // One that another version wrote ends nothing.
      try testbed.answer([
        "tags": ["cf-bench-lease-a": WatchdogTestbed.lease(-600), "cf-bench-lease-b": "v2 something"]
      ])
      #expect(try await testbed.look(at: 420).decision.hasPrefix("stay: a job"))
      #expect(try testbed.deallocations == 0)
      try testbed.answer([
        "tags": ["cf-bench-lease-a": WatchdogTestbed.lease(-600), "cf-bench-lease-b": WatchdogTestbed.lease(-300)]
      ])
      let last = try await testbed.look(at: 480).decision
      #expect(last.hasPrefix("deallocate: leases over: the last of 2 ended at 20"), "\(last)")
      #expect(last.hasSuffix(": accepted (202)"))
    }
  }

  @Test("a lease for a run does not hold an idle VM, one that keeps it on does")
  func keptOn() async throws {
    try await WatchdogTestbed.with { testbed in
      try testbed.answer(["tags": ["cf-bench-lease-a": WatchdogTestbed.lease(3600, kind: "keep")]])
      #expect(try await testbed.look(at: 5000).decision.hasPrefix("stay: a lease keeps it on until 20"))
      // What the metadata service does not say once does not take the VM from who keeps it.
      try testbed.answer(["instance": ["status": 500, "body": "sorry"]])
      #expect(try await testbed.look(at: 5060).decision.hasPrefix("stay: a lease keeps it on until 20"))
      try testbed.answer(["tags": ["cf-bench-lease-a": WatchdogTestbed.lease(3600)]])
      #expect(try await testbed.look(at: 6000).decision.hasPrefix("deallocate: idle: nothing for 940 of 900 s"))
    }
  }

  @Test("what Azure's own tags say by now counts, not what the metadata service still says")
  func freshTags() async throws {
    try await WatchdogTestbed.with { testbed in
      let over = ["cf-bench-lease-a": WatchdogTestbed.lease(-600)]
      try testbed.answer(["tags": over, "fresh": ["cf-bench-lease-a": WatchdogTestbed.lease(600)]])
      #expect(try await testbed.look(at: 100).decision == "stay: idle for 100 of 900 s; up 100 s, 1 leases")
      try testbed.answer(["tags": [:], "fresh": ["cf-bench-lease-a": WatchdogTestbed.lease(600, kind: "keep")]])
      #expect(try await testbed.look(at: 1000).decision.hasPrefix("stay: a lease keeps it on until 20"))
      // That leases are over must be sure; that nobody is here is seen from here.
      let silent: [String: Any] = ["status": 503, "body": ""]
      try testbed.answer(["tags": over, "look": silent])
      #expect(try await testbed.look(at: 1060).decision.contains("but Azure does not confirm it (503)"))
      #expect(try testbed.deallocations == 0)
      try testbed.answer(["tags": ["cf-bench-lease-a": WatchdogTestbed.lease(600)], "look": silent])
      #expect(try await testbed.look(at: 2000).decision.hasPrefix("deallocate: idle"))
      #expect(try testbed.deallocations == 1)
    }
  }

  @Test("the hard limit holds whatever is there, and through a first boot that does not end")
  func hardLimit() async throws {
    try await WatchdogTestbed.with { testbed in
      try testbed.remove("state/provisioned.json")
      #expect(try await testbed.look(at: 5000).decision == "stay: provisioning has not ended; up 5000 s, 0 leases")
      try testbed.write("state/failed.json", "{}")
      #expect(try await testbed.look(at: 5060).decision == "stay: idle for 60 of 900 s; up 5060 s, 0 leases")
      let lock = try #require(FileLock(path: testbed.folder + "/lock", create: true))
      #expect(lock.tryLock())
      try testbed.answer(["tags": ["cf-bench-lease-a": WatchdogTestbed.lease(3600, kind: "keep")]])
      #expect(try await testbed.look(at: 14399).decision.hasPrefix("stay: a job"))
      #expect(
        try await testbed.look(at: 14400).decision == "deallocate: hard limit: up 14400 of 14400 s: accepted (202)")
    }
  }

  @Test("Azure refusing, failing or hanging up only delays it")
  func azureFails() async throws {
    try await WatchdogTestbed.with { testbed in
      let refusal = #"{"error":{"code":"TooManyRequests","message":"slow down"}}"#
      let answers: [Any] = [
        ["status": 429, "body": refusal], ["status": 500, "body": "<html>"], "drop", ["status": 202, "body": ""],
      ]
      try testbed.answer(["deallocate": answers])
      var looks: [WatchdogTestbed.Look] = []
      for number in 0..<4 { looks.append(try await testbed.look(at: 900 + 60 * number)) }
      #expect(looks.map(\.status) == [1, 1, 1, 0])
      let idle = "deallocate: idle: nothing for"
      #expect(looks[0].decision == "\(idle) 900 of 900 s: failed: Azure answered 429 TooManyRequests")
      #expect(looks[1].decision == "\(idle) 960 of 900 s: failed: Azure answered 500")
      #expect(looks[2].decision.hasPrefix("\(idle) 1020 of 900 s: failed: Azure answered 000 curl: (52)"))
      #expect(looks[3].decision == "\(idle) 1080 of 900 s: accepted (202)")
      testbed.set("CF_BENCH_ARM", "http://127.0.0.1:1")
      #expect(try await testbed.look(at: 1140).decision.contains("Azure answered 000 curl: (7)"))
      testbed.endService()
      let gone = try await testbed.look(at: 1200)
      #expect(gone.lines.first?.hasPrefix("metadata: no answer about this VM (curl: (7)") == true, "\(gone.lines)")
      #expect(gone.decision.hasSuffix("failed: the metadata service does not say which VM this is"))
    }
  }

  @Test("an identity that is refused, garbage and silence are told, and the next look is a new one")
  func identityFails() async throws {
    try await WatchdogTestbed.with { testbed in
      let cases: [([String: Any], String)] = [
        (["token": ["status": 400, "body": "Identity not found"]], "no token for the VM's identity (curl: (22)"),
        (["token": ["status": 200, "body": "<html>"]], "the metadata service's answer has no token"),
        (["instance": ["status": 200, "body": "{]"]], "the metadata service does not say which VM this is"),
        (["instance": "silent"], "the metadata service does not say which VM this is"),
      ]
      for (number, (answers, words)) in cases.enumerated() {
        try testbed.answer(answers)
        let begun = ContinuousClock.now
        let look = try await testbed.look(at: 1000 + 60 * number)
        #expect(look.decision.contains("s: failed: \(words)"), "\(look.lines)")
        #expect(look.status == 1)
        #expect(ContinuousClock.now - begun < .seconds(60))
      }
      #expect(try testbed.deallocations == 0)
      try testbed.answer([:])
      #expect(try await testbed.look(at: 1300).decision.hasSuffix("accepted (202)"))
    }
  }

  @Test("an answer that breaks off is told without what came of it, which may be a token")
  func brokenAnswer() async throws {
    try await WatchdogTestbed.with { testbed in
      // The testbed looks for the token in every line.
      let half = #"{"access_token": "eyJ0eXAiOiJKV1QifQ.only-root-may-have-this.c2lnbmF0dXJl", "expires"#
      try testbed.answer(["token": ["status": 200, "body": half, "missing": 40]])
      let look = try await testbed.look(at: 1000)
      #expect(look.decision.contains("no token for the VM's identity (curl: (18) "), "\(look.lines)")
      #expect(!look.decision.contains("access_token"), "\(look.lines)")
      #expect(try testbed.deallocations == 0)
    }
  }

  @Test(
    "a lease that can't be read hides no other one",
    arguments: ["until=tomorrow;kind=run", "until=2026-02-30T99:00:00Z", "until=", "", "kind=keep"])
  func oddLease(odd: String) async throws {
    try await WatchdogTestbed.with { testbed in
      let keep = WatchdogTestbed.lease(600, kind: "keep")
      try testbed.answer(["tags": ["cf-bench-lease-a": odd, "cf-bench-lease-b": keep]])
      #expect(try await testbed.look(at: 5000).decision.hasPrefix("stay: a lease keeps it on until 20"))
      try testbed.answer(["tags": ["cf-bench-lease-a": odd]])
      #expect(
        try await testbed.look(at: 6000).decision.hasPrefix("deallocate: idle: nothing for 1000 of 900 s: accepted"))
    }
  }

  @Test("Azure's names have no case: the VM is found however its id is written")
  func otherLetters() async throws {
    try await WatchdogTestbed.with { testbed in
      let id = """
        /subscriptions/22222222-2222-2222-2222-222222222222/resourcegroups/cf-bench-rg\
        /providers/microsoft.compute/virtualmachines/CF-BENCH
        """
      try testbed.answer(["instance": ["status": 200, "body": #"{"resourceId": "\#(id)", "tagsList": []}"#]])
      #expect(try await testbed.look(at: 1000).decision.hasSuffix("accepted (202)"))
    }
  }

  @Test("where nothing can be written, leases are read all the same")
  func unwritableState() async throws {
    try await WatchdogTestbed.with { testbed in
      for name in ["keep-until", "last-used"] {
        try FileManager.default.createDirectory(
          atPath: "\(testbed.folder)/state/\(name)", withIntermediateDirectories: false)
      }
      try testbed.answer(["tags": ["cf-bench-lease-a": WatchdogTestbed.lease(600, kind: "keep")]])
      let kept = try await testbed.look(at: 5000)
      #expect(kept.decision.hasPrefix("stay: a lease keeps it on until 20"), "\(kept.lines)")
      try testbed.answer(["tags": ["cf-bench-lease-a": WatchdogTestbed.lease(-600)]])
      let over = try await testbed.look(at: 100)
      #expect(over.decision.hasPrefix("deallocate: leases over: the last of 1 ended at 20"), "\(over.lines)")
      #expect(over.decision.hasSuffix("accepted (202)"))
    }
  }

  @Test("a folder of jobs that can't be read in time counts as a job, but not against the hard limit")
  func slowFolder() async throws {
    try await WatchdogTestbed.with { testbed in
      let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
      try FileManager.default.createDirectory(atPath: testbed.folder + "/bin", withIntermediateDirectories: false)
      try placeProgram("#!/bin/sh\nexec sleep 600\n", at: testbed.folder + "/bin/find")
      testbed.set("PATH", testbed.folder + "/bin:" + path)
      let lock = try #require(FileLock(path: testbed.folder + "/lock", create: true))
      #expect(lock.tryLock())
      let begun = ContinuousClock.now
      #expect(
        try await testbed.look(at: 5000).decision.hasPrefix("stay: a job, perhaps: the folders of jobs can't be read"))
      #expect(ContinuousClock.now - begun < .seconds(60))
      let hard = ContinuousClock.now
      #expect(
        try await testbed.look(at: 14400).decision == "deallocate: hard limit: up 14400 of 14400 s: accepted (202)")
      #expect(ContinuousClock.now - hard < .seconds(9))
    }
  }

  @Test("settings: the environment before the file before what is built in; garbage is told and passed over")
  func settings() async throws {
    try await WatchdogTestbed.with { testbed in
      try testbed.write(
        "watchdog.conf",
        """
        # a comment
        CF_BENCH_IDLE_SECONDS=300\r
        CF_BENCH_HARD_SECONDS=soon
        CF_BENCH_GRACE_SECONDS=$(touch \(testbed.folder)/ran)
        CF_BENCH_WHATEVER=1
        rm -rf /
        CF_BENCH_ARM=ftp://x
        """)
      let look = try await testbed.look(at: 299)
      let file = testbed.folder + "/watchdog.conf"
      #expect(
        look.lines == [
          "settings: CF_BENCH_HARD_SECONDS='soon' in \(file) can't be used; 14400 stays",
          "settings: CF_BENCH_GRACE_SECONDS='$(touch \(testbed.folder)/ran)' in \(file) can't be used; 120 stays",
          "settings: \(file) names 'CF_BENCH_WHATEVER', which is no setting; passed over",
          "settings: a line of \(file) is no NAME=VALUE; passed over",
          "settings: CF_BENCH_ARM='ftp://x' in \(file) can't be used; https://management.azure.com stays",
          "stay: idle for 299 of 300 s; up 299 s, 0 leases",
        ])
      #expect(!FileManager.default.fileExists(atPath: testbed.folder + "/ran"))
      testbed.set("CF_BENCH_IDLE_SECONDS", "200")
      #expect(try await testbed.look(at: 250).decision.hasPrefix("deallocate: idle: nothing for 250 of 200 s"))
      testbed.set("CF_BENCH_IDLE_SECONDS", "0")
      #expect(try await testbed.look(at: 299).decision.hasPrefix("stay: idle for 299 of 300 s"))
    }
  }

  @Test("what an earlier boot left behind counts for nothing, and the log has an end")
  func leftOvers() async throws {
    try await WatchdogTestbed.with { testbed in
      try testbed.write("state/last-used", "5000\n")
      #expect(try await testbed.look(at: 60).decision == "stay: idle for 60 of 900 s; up 60 s, 0 leases")
      try testbed.write("state/last-used", "yesterday\n")
      #expect(try await testbed.look(at: 120).decision == "stay: idle for 120 of 900 s; up 120 s, 0 leases")
      try testbed.write("watchdog.log", String(repeating: "x\n", count: 600_000))
      #expect(try await testbed.look(at: 180).decision == "stay: idle for 180 of 900 s; up 180 s, 0 leases")
      let size = try FileManager.default.attributesOfItem(atPath: testbed.folder + "/watchdog.log")[.size] as? Int
      #expect(try #require(size) < 1000)
      #expect(FileManager.default.fileExists(atPath: testbed.folder + "/watchdog.log.1"))
    }
  }
}

/// A real connection between two ends on loopback, as one to sshd is.
private final class LoopbackConnection {
  let port: UInt16
  private var ends: [Int32] = []

  init() throws {
    let listener = makeStreamSocket(family: AF_INET)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    func withAddress(_ body: (UnsafeMutablePointer<sockaddr>) -> Int32) -> Int32 {
      withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
      }
    }
    try #require(withAddress { bind(listener, $0, length) } == 0 && listen(listener, 1) == 0)
    try #require(withAddress { getsockname(listener, $0, &length) } == 0)
    port = UInt16(bigEndian: address.sin_port)
    let far = makeStreamSocket(family: AF_INET)
    try #require(withAddress { connect(far, $0, length) } == 0)
    ends = [far, acceptConnection(listener), listener]
  }

  func close() {
    for end in ends {
      CLibrary.close(end)
    }
    ends = []
  }

  deinit { close() }
}
