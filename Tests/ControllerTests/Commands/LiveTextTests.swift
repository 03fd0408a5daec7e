import Dispatch
import Synchronization
import Testing

@testable import ControllerCore

@Suite("Text on a terminal that takes nothing")
struct LiveTextTests {
  /// A stream whose writes wait until they are let through.
  private final class StoppedTerminal: Sendable {
    let began = DispatchSemaphore(value: 0)
    let goesOn = DispatchSemaphore(value: 0)
    let seen = Mutex("")

    func write(_ bytes: [UInt8]) {
      began.signal()
      goesOn.wait()
      seen.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
    }
  }

  @Test("nobody waits for it, lines are kept in their order, and of drawings only the last one is shown")
  func stopped() {
    let terminal = StoppedTerminal()
    let live = LiveText { terminal.write($0) }
    live.write("one\n")
    terminal.began.wait()
    for number in 0..<10_000 { live.draw("\r\(number)") }
    live.write("two\n")
    live.draw("\rlast")
    for _ in 0..<2 { terminal.goesOn.signal() }
    live.flush()
    #expect(terminal.seen.withLock { $0 } == "one\ntwo\n\rlast")
  }

  @Test("a progress line on it holds up no event, and no more than a mebibyte waits")
  func progress() {
    let terminal = StoppedTerminal()
    let live = LiveText { terminal.write($0) }
    let progress = TerminalProgress(
      mode: .redrawn(width: 80), frames: { live.draw($0) }, sink: { live.write($0) })
    progress.step("begin")
    terminal.began.wait()
    for _ in 0..<300 { live.write(String(repeating: "x", count: 10_000)) }
    progress.remark("more")
    progress.tick()
    progress.finish("done")
    for _ in 0..<2 { terminal.goesOn.signal() }
    live.flush()
    let seen = terminal.seen.withLock { $0 }
    #expect(seen.contains("begin") && seen.contains("xxx") && (1 << 20..<(1 << 20) + 20_000).contains(seen.utf8.count))
  }

  @Test("what can't be written is dropped, and what comes later is tried again")
  func failing() {
    let seen = Mutex<[String]>([])
    let live = LiveText { bytes in
      seen.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
      throw CancellationError()
    }
    live.write("one")
    live.flush()
    live.write("two")
    live.flush()
    #expect(seen.withLock { $0 } == ["one", "two"])
  }
}
