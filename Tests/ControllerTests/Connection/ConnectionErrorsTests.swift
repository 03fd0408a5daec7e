import Shared
import Testing

@testable import ControllerCore
@testable import SSH

@Suite("What a lost connection tells")
struct ConnectionErrorsTests {
  private let job = JobID("played") ?? { preconditionFailure("a job's name") }()

  @Test("a connection lost for good carries libssh2's own words and the advice of the last try")
  func lost() {
    let last = SSHError(
      step: .transfer, destination: SSHDestination(host: "h", port: 22, user: "u"), cause: .lost, code: -43,
      words: "transport read")
    let error = ConnectionLost(
      job: job, machine: "u@h", flags: "--machine ssh://u@h:22", limit: .seconds(1800), isAccepted: true,
      last: Problem(ofTry: last))
    #expect(error.what == "connection to u@h lost for 30 min; the job is still running there")
    #expect(error.why == "the connection to h broke: libssh2 says: transport read (-43)")
    #expect(
      error.fix == """
        try again; if it happens again look at sshd's log on the host (journalctl -u ssh)
        run: cf-bench attach played --machine ssh://u@h:22
        """)
    let unsure = CancelUnsure(job: job, machine: "u@h", flags: "-x", isHeard: false, last: Problem(ofTry: last))
    #expect(unsure.why?.contains("transport read") == true && unsure.fix.contains("journalctl"))
    #expect(unsure.fix.hasSuffix("run: cf-bench cancel played -x") && unsure.exitStatus == .cancelled)
  }

  @Test("what may pass is tried again, and what another try would not change is not")
  func faults() {
    func fault(_ step: SSHError.Step, _ cause: SSHError.Cause) -> ConnectionFault {
      ConnectionFault(SSHError(step: step, cause: cause))
    }
    #expect(fault(.transfer, .lost) == .broke && fault(.transfer, .silent(.seconds(1))) == .broke)
    #expect(fault(.connect, .system(111)) == .unreachable && fault(.transfer, .system(5)) == .broke)
    #expect(fault(.authenticate, .noWayIn([SSHError(step: .authenticate, cause: .lost)])) == .broke)
    #expect(fault(.authenticate, .noWayIn([SSHError(step: .authenticate, cause: .agent(.noKeys))])) == .permanent)
    #expect(ConnectionFault(StartRefusal(machine: "m", exit: .lost, words: "")) == .broke)
    #expect(ConnectionFault(StartRefusal(machine: "m", exit: .status(127), words: "")) == .permanent)
    #expect(ConnectionFault(Problem(what: "", fix: "", exitStatus: .usage)) == .permanent)
  }

  @Test("pauses grow to half a minute, begin anew with each event that came, and a trial's pace shortens them")
  func pauses() {
    let reconnect = Reconnect(limit: .seconds(60))
    let usual = [0, 0.5, 1, 2, 4, 8, 15, 30, 30]
    for (attempt, seconds) in usual.enumerated() {
      let pause = reconnect.pause(before: attempt)
      #expect(pause >= .seconds(seconds * 0.5) && pause <= .seconds(seconds * 1.5))
    }
    #expect(Reconnect(limit: .zero, pace: 0.001).pause(before: 8) < .milliseconds(50))
    #expect(Reconnect(limit: .zero, pace: 0.001).silenceLimit == .seconds(1))
    var outage = Outage()
    #expect(outage.note(events: 1) && !outage.note(events: 1))
    #expect([outage.nextAttempt(), outage.nextAttempt()] == [0, 1])
    _ = outage.note(events: 2)
    #expect(outage.nextAttempt() == 0)
    #expect(outage.end() != nil && outage.end() == nil && outage.length == .zero)
  }

  @Test(
    "releases are in the order of their numbers",
    arguments: [("0.9.1", "0.10.0"), ("1", "1.0.1"), ("nonsense", "0.0.1"), ("1.2-beta", "1.3")])
  func releases(older: String, newer: String) {
    #expect(ReleaseNumber(older) < ReleaseNumber(newer) && !(ReleaseNumber(newer) < ReleaseNumber(older)))
    #expect(!(ReleaseNumber("1.0") < ReleaseNumber("1.0.0")) && !(ReleaseNumber("1.0.0") < ReleaseNumber("1.0")))
  }
}
