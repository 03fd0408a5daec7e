import Foundation
import Testing

@testable import Azure

@Suite("Leases: who wants the VM is told by its tags alone")
struct LeaseTests {
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  private func lease(_ run: String, _ seconds: Double, generation: Int = 1, kind: Lease.Kind = .run) -> Lease {
    Lease(run: run, until: now + seconds, generation: generation, kind: kind, owner: "alice@laptop")
  }

  private func board(_ leases: Lease..., more: [String: String] = [:]) -> LeaseTags {
    LeaseTags(tags: Dictionary(uniqueKeysWithValues: leases.map { ($0.tag, $0.value) }).merging(more) { $1 })
  }

  @Test("a lease reads back from its tag as it was written")
  func roundTrip() throws {
    let lease = lease("20260131T123456Z-abc", 60, generation: 7, kind: .keep)
    #expect(Lease(tag: lease.tag, value: lease.value) == lease)
    #expect(lease.value == "until=2027-01-15T08:01:00Z;generation=7;kind=keep;owner=alice@laptop")
  }

  @Test("an owner can't forge a field, and a tag's 256 characters are kept")
  func hostileOwner() {
    var lease = lease("r", 60)
    lease.owner = "x;until=2099-01-01T00:00:00Z;" + String(repeating: "é=a", count: 400)
    let read = Lease(tag: lease.tag, value: lease.value)
    #expect(read?.until == lease.until)
    #expect(lease.value.count <= 256)
  }

  @Test(
    "what is no lease is none",
    arguments: ["", "until=", "until=tomorrow;kind=run", "generation=3", "until=2027-01-15T08:01:00;kind=run"])
  func noLease(value: String) {
    #expect(Lease(tag: "cf-bench-lease-r", value: value) == nil)
    #expect(Lease(tag: "cost-center", value: "until=2027-01-15T08:01:00Z") == nil)
  }

  @Test("a lease counts for two minutes more than it says, since clocks differ")
  func grace() {
    #expect(!lease("r", -119).isOver(at: now))
    #expect(lease("r", -121).isOver(at: now))
  }

  @Test("others are those with a lease that is not over; one's own and old ones are none")
  func others() {
    let board = board(lease("mine", 60), lease("theirs", 60), lease("old", -500))
    #expect(board.others(than: "mine", at: now).map(\.run) == ["theirs"])
    #expect(board.overdue(at: now).map(\.run) == ["old"])
  }

  @Test("a new lease has a higher generation than any that is there")
  func generation() {
    #expect(board().nextGeneration == 1)
    #expect(board(lease("a", 1, generation: 4), lease("b", 1, generation: 9)).nextGeneration == 10)
  }

  @Test("a stop counts for others, not for its own run, and only until its end")
  func stopping() {
    let claim = LeaseTags.Stopping(run: "a", until: now + 60)
    let board = board(more: [LeaseTags.Stopping.tag: claim.value])
    #expect(board.isBeingStopped(byOtherThan: "b", at: now))
    #expect(!board.isBeingStopped(byOtherThan: "a", at: now))
    #expect(!board.isBeingStopped(byOtherThan: "b", at: now + 61))
  }
}
