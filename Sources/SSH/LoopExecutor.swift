import CLibrary
import Synchronization

/// What the loop is to wait for once a turn has been taken.
struct LoopWait: Sendable {
  /// The descriptor to watch; -1 for none.
  var descriptor: CInt = -1
  /// poll(2) events on it.
  var events: Int16 = 0
  /// When to take a turn although nothing has happened.
  var deadline: SuspendingClock.Instant?
  /// There is more to do at once: do not sleep.
  var again = false
}

/// Whoever the loop works for.
protocol LoopClient: AnyObject, Sendable {
  /// Does what can be done without waiting, on the loop's thread.
  /// - Parameter ready: The events poll(2) reported for the descriptor of the last wait; 0 when there were none.
  func turn(ready: Int16) -> LoopWait
}

/// An executor with one thread of its own: it runs the actor's jobs, lets the client take a turn, and sleeps in poll(2) until
/// the socket is ready, a job comes, someone wakes it or a deadline passes. The cryptography of a connection thus never
/// holds a thread of the shared pool.
final class LoopExecutor: SerialExecutor, Sendable {
  private struct State {
    var jobs: [UnownedJob] = []
    weak var client: (any LoopClient)?
    var thread: pthread_t?
    var poked = false
    var asleep = false
    var ended = false
  }

  private let state = Mutex(State())
  private let wakeReader: CInt
  private let wakeWriter: CInt

  init() throws(SSHError) {
    guard let pipe = makePipe() else { throw SSHError(step: .connect, cause: .system(errno)) }
    (wakeReader, wakeWriter) = pipe
    for end in [wakeReader, wakeWriter] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
  }

  deinit {
    closeDescriptor(wakeReader)
    closeDescriptor(wakeWriter)
  }

  /// Starts the thread. It keeps the executor alive but not the client, and ends with ``end()``.
  func start(for client: any LoopClient) throws(SSHError) {
    state.withLock { $0.client = client }
    let code = startThread { self.run() }
    guard code == 0 else { throw SSHError(step: .connect, cause: .system(code)) }
  }

  /// Lets the thread end. Called once the client is going away, so no job can come any more.
  func end() {
    state.withLock { $0.ended = true }
    wake()
  }

  /// Makes the client take a turn soon. From any thread.
  func wake() {
    let mustWrite = state.withLock { state in
      state.poked = true
      defer { state.asleep = false }
      return state.asleep
    }
    if mustWrite { writeWakeByte() }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let mustWrite = state.withLock { state in
      state.jobs.append(job)
      defer { state.asleep = false }
      return state.asleep
    }
    if mustWrite { writeWakeByte() }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  func checkIsolated() {
    precondition(state.withLock { $0.thread } == pthread_self(), "not on the thread of this connection")
  }

  private func run() {
    state.withLock { $0.thread = pthread_self() }
    var ready: Int16 = 0
    while let wait = takeTurn(ready) { ready = sleep(wait) }
  }

  private func takeTurn(_ ready: Int16) -> LoopWait? {
    let jobs = state.withLock { state in
      state.poked = false
      defer { state.jobs.removeAll(keepingCapacity: true) }
      return state.jobs
    }
    for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
    // Held only for the turn: a client that nobody else holds must be able to go while the loop sleeps.
    let client = state.withLock { $0.ended ? nil : $0.client }
    return client?.turn(ready: ready)
  }

  private func sleep(_ wait: LoopWait) -> Int16 {
    let maySleep = state.withLock { state in
      guard !wait.again, !state.poked, state.jobs.isEmpty, !state.ended else { return false }
      state.asleep = true
      return true
    }
    guard maySleep else { return 0 }
    var descriptors = [
      pollfd(fd: wakeReader, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wait.descriptor, events: wait.events, revents: 0),
    ]
    let count = poll(&descriptors, 2, milliseconds(until: wait.deadline))
    state.withLock { $0.asleep = false }
    guard count > 0 else { return 0 }
    if descriptors[0].revents != 0 { drainWakeBytes() }
    return descriptors[1].revents
  }

  private func milliseconds(until deadline: SuspendingClock.Instant?) -> CInt {
    guard let deadline else { return -1 }
    let left = SuspendingClock.now.duration(to: deadline)
    guard left > .zero else { return 0 }
    return CInt(clamping: left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1)
  }

  private func writeWakeByte() {
    var byte: UInt8 = 1
    _ = write(wakeWriter, &byte, 1)  // a full pipe wakes as well
  }

  private func drainWakeBytes() {
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
      while read(wakeReader, buffer.baseAddress, buffer.count) > 0 {}
    }
  }
}
