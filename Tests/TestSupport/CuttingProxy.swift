import CLibrary
import Foundation
import Synchronization

/// A network that breaks: a TCP proxy on loopback that cuts each connection after a random number of bytes in either
/// direction, or lets nothing through for a while. What it does let through it does not change.
public final class CuttingProxy: Sendable {
  public struct Failure: Error, CustomStringConvertible {
    public var description: String
  }

  /// When connections are cut.
  public struct Cuts: Sendable {
    /// The most bytes from the client, and to it, that a connection gets to see; each draws its own number.
    public var upTo: (up: Int, down: Int)
    /// So many connections are cut, and those after them are left alone.
    public var count: Int

    public init(up: Int, down: Int, count: Int) {
      upTo = (up, down)
      self.count = count
    }
  }

  private struct State {
    var cuts: Cuts
    var made = 0
    var accepted = 0
    var isStalled = false
    var isOver = false
  }

  /// Where it listens.
  public let port: Int
  private let target: Int
  private let listener: Int32
  /// Written to when the thread has to look at its state.
  private let wake: (read: Int32, write: Int32)
  private let state: Mutex<State>
  /// Empty once the thread has closed everything.
  private let running = DispatchGroup()

  /// - Parameters:
  ///   - target: the loopback port that connections lead to.
  ///   - random: where the chances come from.
  public init(to target: Int, cuts: Cuts = Cuts(up: 0, down: 0, count: 0), random: SeededRandom) throws {
    self.target = target
    state = Mutex(State(cuts: cuts))
    guard let pipe = makePipe() else { throw Failure(description: String(cString: strerror(errno))) }
    wake = (pipe.reader, pipe.writer)
    listener = makeStreamSocket(family: AF_INET)
    var address = Self.loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isListening = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
      }
    }
    guard isListening else { throw Failure(description: String(cString: strerror(errno))) }
    port = Int(UInt16(bigEndian: address.sin_port))
    running.enter()
    let thread = Thread { [self] in
      run(random)
      running.leave()
    }
    thread.start()
  }

  /// Not at the thread's end: ``look()`` may still be called then, and would write into whatever has the number next.
  deinit {
    close(wake.read)
    close(wake.write)
  }

  /// How many connections were cut so far.
  public var cuts: Int { state.withLock { $0.made } }
  /// How many connections came so far.
  public var connections: Int { state.withLock { $0.accepted } }

  /// While this is so, connections are taken and nothing goes through.
  public var isStalled: Bool {
    get { state.withLock { $0.isStalled } }
    set {
      state.withLock { $0.isStalled = newValue }
      look()
    }
  }

  /// Cuts what is open, and takes no more connections. Nothing goes through any more when this returns.
  public func stop() {
    state.withLock { $0.isOver = true }
    look()
    precondition(running.wait(timeout: .now() + 60) == .success, "the proxy's thread does not end")
  }

  private func look() { _ = write(wake.write, [1], 1) }

  // MARK: The thread

  private func run(_ random: SeededRandom) {
    var random = random
    var pairs: [Pair] = []
    defer {
      for pair in pairs { pair.close(harshly: true) }
      close(listener)
    }
    while true {
      let (isOver, isStalled) = state.withLock { ($0.isOver, $0.isStalled) }
      if isOver { return }
      var polled = [
        pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0),
        pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
      ]
      for pair in pairs { polled += isStalled ? [] : pair.polled }
      guard poll(&polled, nfds_t(polled.count), -1) >= 0 || errno == EINTR else { return }
      if polled[0].revents != 0 {
        var chunk = [UInt8](repeating: 0, count: 64)
        _ = read(wake.read, &chunk, chunk.count)
      }
      if polled[1].revents != 0, let pair = accept(&random) { pairs.append(pair) }
      guard !isStalled, !state.withLock({ $0.isStalled }) else { continue }
      pairs.removeAll { pair in
        switch pair.move() {
        case .open: return false
        case .ended: pair.close(harshly: false)
        case .spent:
          state.withLock { $0.made += 1 }
          pair.close(harshly: Bool.random(using: &random))
        }
        return true
      }
    }
  }

  private func accept(_ random: inout SeededRandom) -> Pair? {
    let client = acceptConnection(listener)
    guard client >= 0 else { return nil }
    let server = makeStreamSocket(family: AF_INET)
    var address = Self.loopback(port: target)
    let isConnected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else {
      close(client)
      close(server)
      return nil
    }
    let budget = state.withLock { state -> (up: Int, down: Int)? in
      state.accepted += 1
      guard state.made < state.cuts.count else { return nil }
      return state.cuts.upTo
    }
    return Pair(
      client: client, server: server, up: budget.map { Int.random(in: 1...max(1, $0.up), using: &random) },
      down: budget.map { Int.random(in: 1...max(1, $0.down), using: &random) })
  }

  private static func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }
}

/// One connection and its other half. Used by the proxy's thread only.
private final class Pair {
  enum Outcome { case open, ended, spent }

  /// One direction: what waits to be written, and how much may still pass; `nil` for all.
  private struct Flow {
    var from: Int32
    var to: Int32
    var left: Int?
    var waiting: [UInt8] = []
  }

  private var flows: [Flow]

  init(client: Int32, server: Int32, up: Int?, down: Int?) {
    for descriptor in [client, server] {
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      var yes: Int32 = 1
      setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }
    flows = [Flow(from: client, to: server, left: up), Flow(from: server, to: client, left: down)]
  }

  var polled: [pollfd] {
    flows.map { flow in
      flow.waiting.isEmpty
        ? pollfd(fd: flow.from, events: Int16(POLLIN), revents: 0)
        : pollfd(fd: flow.to, events: Int16(POLLOUT), revents: 0)
    }
  }

  func move() -> Outcome {
    for index in flows.indices {
      switch move(&flows[index]) {
      case .open: continue
      case let over: return over
      }
    }
    return .open
  }

  private func move(_ flow: inout Flow) -> Outcome {
    if flow.waiting.isEmpty {
      var chunk = [UInt8](repeating: 0, count: 16 << 10)
      let count = read(flow.from, &chunk, chunk.count)
      if count < 0 { return errno == EAGAIN || errno == EINTR ? .open : .ended }
      if count == 0 { return .ended }
      flow.waiting = Array(chunk[..<min(count, flow.left ?? count)])
    }
    let count = flow.waiting.withUnsafeBytes { sendWithoutSignal(flow.to, $0) }
    if count < 0 { return errno == EAGAIN || errno == EINTR ? .open : .ended }
    flow.waiting.removeFirst(count)
    guard let left = flow.left else { return .open }
    flow.left = left - count
    return left == count ? .spent : .open
  }

  /// Harshly: with a reset, which also loses what the peers have not read yet.
  func close(harshly: Bool) {
    for descriptor in [flows[0].from, flows[0].to] {
      if harshly {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
      }
      platformClose(descriptor)
    }
  }
}

private func platformClose(_ descriptor: Int32) { close(descriptor) }

/// accept(2) for a connection that other tests' programs do not inherit.
public func acceptConnection(_ listener: Int32) -> Int32 {
  let descriptor = accept(listener, nil, nil)
  if descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
  return descriptor
}
