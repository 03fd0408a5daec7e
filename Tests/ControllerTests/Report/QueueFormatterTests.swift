import Foundation
import Shared
import Testing

@testable import ControllerCore

@Suite("A job that waits says its place")
struct QueueFormatterTests {
  @Test("place, owner and expected start; what is not known is left out")
  func words() {
    let start = "2026-01-31T14:05:30.000Z"
    for (queued, wanted) in [
      (
        Queued(holder: "20260131T1-x of ada@laptop", ahead: 2, expectedStart: start),
        "2 jobs ahead; ada@laptop measures (20260131T1-x); expected to start at 14:05"
      ),
      (Queued(holder: "j of ada of x", ahead: 1), "1 job ahead; ada of x measures (j)"),
      (Queued(holder: "something else"), "something else measures"), (Queued(holder: ""), "somebody measures"),
      (Queued(holder: "j of a", ahead: 1, expectedStart: "soon"), "1 job ahead; a measures (j)"),
    ] {
      #expect(QueueFormatter.line(queued, timeZone: .gmt) == "waiting for the machine: " + wanted)
    }
  }

  @Test("releases are ordered by their numbers")
  func releases() {
    for (older, newer) in [("0.1.0", "0.1.1"), ("0.9.9", "0.10.0"), ("0.1", "1"), ("rubbish", "0.1.0"), ("", "0.0.1")] {
      #expect(ReleaseNumber(older) < ReleaseNumber(newer) && !(ReleaseNumber(newer) < ReleaseNumber(older)))
    }
    #expect(ReleaseNumber("1.0") == ReleaseNumber("1.0.0"))
  }
}
