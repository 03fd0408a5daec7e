import CLibrary
import CSpawn
import Synchronization

/// Does one piece of work after another on a thread of its own, so that a request that has to wait (for a program, for a
/// runner, at the queue's gate) holds up neither pings nor journals.
final class RequestLane: Sendable {
  /// What is left to do in the server's own loop once a piece of work is done.
  typealias Finish = @Sendable (Server) throws -> Void

  private struct State {
    var waiting: [@Sendable () throws -> Finish] = []
    var done: [Finish] = []
    /// Pieces of work that were added and whose end was not taken yet.
    var open = 0
    /// There is a thread.
    var isRunning = false
  }

  private let state = Mutex(State())
  private let bell: WakePipe

  init(_ bell: WakePipe) { self.bell = bell }

  /// Nothing is being done, and nothing waits to be finished.
  var isIdle: Bool { state.withLock { $0.open == 0 } }

  /// So much waits that no more requests are to be read.
  var isFull: Bool { state.withLock { $0.open >= 64 } }

  func add(_ work: @escaping @Sendable () throws -> Finish) {
    let mustStart = state.withLock { state in
      state.waiting.append(work)
      state.open += 1
      defer { state.isRunning = true }
      return !state.isRunning
    }
    // Where no thread is to be had it is done here, however long that takes.
    if mustStart, startThread({ self.run() }) != 0 { run() }
  }

  /// What is done by now, in order; empties the list.
  func takeDone() -> [Finish] {
    state.withLock { state in
      defer { state.done = [] }
      state.open -= state.done.count
      return state.done
    }
  }

  private func run() {
    while let work = next() {
      let finish: Finish
      do { finish = try work() } catch { finish = { _ in throw error } }
      state.withLock { $0.done.append(finish) }
      bell.ring()
    }
  }

  private func next() -> (@Sendable () throws -> Finish)? {
    state.withLock { state in
      state.isRunning = !state.waiting.isEmpty
      return state.isRunning ? state.waiting.removeFirst() : nil
    }
  }
}

/// Wakes a `poll` from another thread.
final class WakePipe: Sendable {
  /// Readable after ``ring()``.
  let descriptor: Int32
  private let writer: Int32

  init() throws {
    var ends: [Int32] = [-1, -1]
    guard cf_pipe(&ends) == 0 else { throw ChildProcess.SpawnFailure(program: "a pipe", code: errno) }
    for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    (descriptor, writer) = (ends[0], ends[1])
  }

  deinit {
    close(descriptor)
    close(writer)
  }

  func ring() {
    var byte: UInt8 = 0
    write(writer, &byte, 1)  // a full pipe wakes as well
  }

  func drain() {
    var bytes = (UInt64(0), UInt64(0))
    while read(descriptor, &bytes, 16) > 0 {}
  }
}
