import Glibc
import Shared

/// A program that runs beside measured ones and talks in lines: it says when it is ready, and ends when its standard input
/// does. What it is not told to stop by the end of its life is killed with its process group.
final class HelperProcess {
  let pid: pid_t
  private let pipes: ChildProcess.Pipes
  private var output: [UInt8] = []
  private var error: [UInt8] = []
  private var hasEnded = false
  /// A line longer than this is none of the helper's own, in bytes.
  private static let longestLine = 4 << 20

  /// - Parameter input: the first bytes of its standard input, which stays open; at most a pipe's buffer (64 KiB).
  init(_ child: ChildProcess, input: [UInt8]) throws(ChildProcess.SpawnFailure) {
    (pid, pipes) = try child.start()
    _ = input.withUnsafeBytes { write(pipes.input.write, $0.baseAddress, $0.count) }  // its answer tells what it got
  }

  deinit {
    if !hasEnded { end() }
    pipes.closeAll()
  }

  /// Whether it is still there.
  var isRunning: Bool {
    if !hasEnded, waitpid(pid, nil, WNOHANG) != 0 { hasEnded = true }
    return !hasEnded
  }

  /// The next line of its output; `nil` when it ends or says none within `limit` seconds.
  func line(within limit: Double) -> [UInt8]? {
    let deadline = MonotonicClock.seconds + limit
    while true {
      if let newline = output.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(output[..<newline])
        output.removeFirst(newline + 1)
        return line
      }
      let left = deadline - MonotonicClock.seconds
      guard left > 0, output.count <= Self.longestLine else { return nil }
      var polled = [
        pollfd(fd: pipes.output.read, events: Int16(POLLIN), revents: 0),
        pollfd(fd: pipes.error.read, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&polled, 2, Int32(left * 1000 + 1))
      if polled[1].revents != 0 { takeWords() }
      if polled[0].revents != 0, !Self.take(pipes.output.read, into: &output) { return nil }
    }
  }

  /// Closes its standard input and waits for its last line and its end.
  func finish(within limit: Double) -> [UInt8]? {
    pipes.closeInput()
    let last = line(within: limit)
    end()
    return last
  }

  /// What it said on standard error, for a person.
  var outputTail: String {
    var polled = [pollfd(fd: pipes.error.read, events: Int16(POLLIN), revents: 0)]
    while poll(&polled, 1, 0) > 0, takeWords() {}
    return String(decoding: error.suffix(2000), as: UTF8.self).split(whereSeparator: \.isNewline).suffix(4)
      .joined(separator: "\n")
  }

  /// Reads what it says on standard error, of which the end is kept. False when it says no more.
  @discardableResult
  private func takeWords() -> Bool {
    defer { if error.count > 64 << 10 { error.removeFirst(error.count - 32 << 10) } }
    return Self.take(pipes.error.read, into: &error)
  }

  private func end() {
    var usage = rusage()
    if hasEnded { kill(-pid, SIGKILL) } else { _ = ProcessEnd.wait(for: pid, until: 0, usage: &usage) }
    hasEnded = true
  }

  private static func take(_ descriptor: Int32, into buffer: inout [UInt8]) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 16) { chunk in
      let count = read(descriptor, chunk.baseAddress, chunk.count)
      guard count > 0 else { return count < 0 && errno == EINTR }
      buffer.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
      return true
    }
  }
}
