import Shared

/// How a broken connection is restored: for how long, and with which pauses.
struct Reconnect: Sendable, Equatable {
  /// From the loss of the connection, on the clock that stands still while this machine sleeps; zero means never.
  var limit: Duration
  /// Everything that is waited for on the connection is as many times longer: 1, and less in trials that can't wait.
  var pace = 1.0

  /// A connection that broke before the agent first answered is tried again for so long at most: it may be a typing
  /// error that will never answer.
  static let firstLimit = Duration.seconds(10)

  /// In seconds: at once, and then ever more rarely.
  private static let pauses = [0, 0.5, 1, 2, 4, 8, 15, 30]

  /// The pause before a try, counted from 0 since the last event that came. Each is drawn from half to one and a half of its
  /// length, so that many who lost the same host don't come back in the same moment.
  func pause(before attempt: Int) -> Duration {
    let length = Self.pauses[min(max(attempt, 0), Self.pauses.count - 1)]
    return .seconds(length * pace * Double.random(in: 0.5...1.5))
  }

  /// A ping goes out this often; the answer is what tells a dead connection from a silent job.
  var pingEvery: Duration { .seconds(5) * pace }
  /// Without a byte for this long, the connection counts as dead; never so short that a busy machine looks like one.
  var silenceLimit: Duration { max(.seconds(20) * pace, .seconds(1)) }
}

/// One loss of the connection, from when it is noticed to the next answer.
struct Outage {
  private(set) var since: SuspendingClock.Instant?
  private var attempts = 0
  private var eventsBefore = 0

  /// Notes another failure. True for the first one of this loss.
  /// - Parameter events: the number of the last event on this disk.
  mutating func note(events: Int) -> Bool {
    if events > eventsBefore { attempts = 0 }
    eventsBefore = events
    defer { since = since ?? .now }
    return since == nil
  }

  /// How long the connection has been lost.
  var length: Duration { since.map { $0.duration(to: .now) } ?? .zero }

  /// The number of the next try, for ``Reconnect/pause(before:)``.
  mutating func nextAttempt() -> Int {
    defer { attempts += 1 }
    return attempts
  }

  /// The connection is back: gives how long it was gone.
  mutating func end() -> Duration? {
    guard let since else { return nil }
    self.since = nil
    return since.duration(to: .now)
  }
}
