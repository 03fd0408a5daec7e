import Testing

@testable import AgentCore

@Suite("The next block goes where it buys most")
struct LayerSchedulerTests {
  private typealias Candidate = LayerScheduler.Candidate

  private func next(_ candidates: [Candidate], left: Double) -> Int? {
    LayerScheduler.next(candidates, least: 13, leastHeadline: 5, secondsLeft: left)
  }

  @Test("what matters most comes first, as long as it can be decided")
  func headline() {
    let micro = Candidate(blocks: 0, blockSeconds: 10, needed: [Int](repeating: 6, count: 20))
    let dear = Candidate(blocks: 1, blockSeconds: 60, needed: [4, 4], headline: [4, 4])
    let cheap = Candidate(blocks: 4, blockSeconds: 4, needed: [2, 2, 9], headline: [2, 2])
    #expect(next([cheap, micro, dear], left: 500) == 0)
    #expect(next([Candidate(blocks: 9, blockSeconds: 4, needed: [9]), micro, dear], left: 500) == 2)
    // A third of the time and more for one answer: an estimate first, then the others.
    let begun = Candidate(blocks: 3, blockSeconds: 60, needed: [4], headline: [4])
    #expect(next([micro, begun], left: 500) == 0 && next([micro, begun], left: 900) == 1)
    // "One more" was said before.
    #expect(next([micro, Candidate(blocks: 6, blockSeconds: 60, needed: [1], headline: [1])], left: 500) == 0)
    // Not even an estimate is within reach: the others have the time.
    #expect(next([micro, dear], left: 100) == 0)
  }

  @Test("what is left over makes the estimates of what matters most worth telling")
  func told() {
    var wide = Candidate(blocks: 4, blockSeconds: 60, needed: [40], headline: [40])
    #expect(next([wide], left: 100) == 0 && next([wide], left: 50) == nil)
    wide.isTold = true
    #expect(next([wide], left: 100) == nil)
  }

  @Test("a layer that can't have three blocks in the time left is not begun; one of which nothing is known is")
  func first() {
    let fresh = Candidate(blocks: 0, blockSeconds: 60, needed: [13])
    #expect(next([fresh], left: 200) == 0 && next([fresh], left: 170) == nil)
    var single = fresh
    single.most = 1
    #expect(next([single], left: 70) == 0)
    let begun = Candidate(blocks: 13, blockSeconds: 2, needed: [nil])
    #expect(next([begun, fresh], left: 200) == 1)
    #expect(next([Candidate(blocks: 0, blockSeconds: nil, needed: [13])], left: 1) == 0)
  }

  @Test("the layer whose first answer is nearest is brought to it, before others are sharpened")
  func nearest() {
    let cheap = Candidate(blocks: 2, blockSeconds: 4, needed: [11, 11, 11])
    let dear = Candidate(blocks: 1, blockSeconds: 10, needed: [Int](repeating: 12, count: 17))
    let sharpened = Candidate(blocks: 20, blockSeconds: 1, needed: [2])
    #expect(next([dear, cheap, sharpened], left: 500) == 1)
  }

  @Test("after that the one goes first that decides most metrics a second")
  func value() {
    let many = Candidate(blocks: 14, blockSeconds: 10, needed: [3, 3, 3, 9])
    let one = Candidate(blocks: 14, blockSeconds: 4, needed: [3])
    #expect(next([one, many], left: 500) == 1)
    #expect(next([one, Candidate(blocks: 14, blockSeconds: 10, needed: [3, 30])], left: 500) == 0)
  }

  @Test("what can't be decided in the time left gets none of it, and nothing is left to do when all is like that")
  func hopeless() {
    let long = Candidate(blocks: 1, blockSeconds: 60, needed: [12])
    let far = Candidate(blocks: 20, blockSeconds: 1, needed: [nil])
    let near = Candidate(blocks: 20, blockSeconds: 5, needed: [8])
    #expect(next([long, far, near], left: 100) == 2)
    #expect(next([long, far], left: 100) == nil)
    // A forecast is rough: half as much again is still worth a try.
    #expect(next([near], left: 30) == 0 && next([near], left: 20) == nil)
    #expect(next([Candidate(blocks: 3, blockSeconds: 1, needed: [])], left: 100) == nil)
    #expect(next([near], left: 0) == nil)
  }
}
