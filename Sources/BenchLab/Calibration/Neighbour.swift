import Foundation
import Synchronization

/// Stands for another program on the machine: a thread of this one that keeps a core busy for a while, rests, and comes again,
/// until it is told to leave.
final class Neighbour: Sendable {
  private let hasLeft = Mutex(false)

  init() {
    Thread.detachNewThread { [self] in
      while !hasLeft.withLock({ $0 }) {
        let until = ContinuousClock.now + .milliseconds(Int.random(in: 500...3000))
        while ContinuousClock.now < until, !hasLeft.withLock({ $0 }) {}
        Thread.sleep(forTimeInterval: Double.random(in: 0.5...3))
      }
    }
  }

  func leave() { hasLeft.withLock { $0 = true } }
}
