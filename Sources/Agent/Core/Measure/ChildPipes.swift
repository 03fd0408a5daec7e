import CSpawn
import Glibc

extension ChildProcess {
  /// The three pipes of a child, and the loop that serves them without a thread.
  final class Pipes {
    struct Ends {
      var read: Int32 = -1
      var write: Int32 = -1
    }
    private(set) var input = Ends()
    private(set) var output = Ends()
    private(set) var error = Ends()

    init(program: String) throws(SpawnFailure) {
      input = try Self.makePipe(program)
      output = try Self.makePipe(program)
      error = try Self.makePipe(program)
    }

    private static func makePipe(_ program: String) throws(SpawnFailure) -> Ends {
      var ends: [Int32] = [-1, -1]
      // In one step: between two another thread could start a program that would then hold the pipe open.
      guard cf_pipe(&ends) == 0 else { throw SpawnFailure(program: program, code: errno) }
      return Ends(read: ends[0], write: ends[1])
    }

    private func close(_ descriptor: inout Int32) {
      guard descriptor >= 0 else { return }
      _ = Glibc.close(descriptor)
      descriptor = -1
    }

    func closeChildEnds() {
      close(&input.read)
      close(&output.write)
      close(&error.write)
    }

    func closeInput() { close(&input.write) }

    func closeAll() {
      closeChildEnds()
      close(&input.write)
      close(&output.read)
      close(&error.read)
    }

    /// Feeds `bytes` and collects both outputs until the child's ends are closed or `deadline` (monotonic seconds) passes.
    func pump(
      input bytes: [UInt8], outputLimit: Int, errorLimit: Int, until deadline: Double,
      onOutputLine: (([UInt8]) -> Void)? = nil, look: (every: Double, run: () -> Void)? = nil
    ) -> (output: [UInt8], error: [UInt8], timedOut: Bool) {
      var handedOut = 0
      var written = 0
      var out: [UInt8] = []
      var err: [UInt8] = []
      var nextLook = MonotonicClock.seconds
      if bytes.isEmpty { close(&input.write) } else { _ = fcntl(input.write, F_SETFL, O_NONBLOCK) }
      while output.read >= 0 || error.read >= 0 {
        var left = deadline - MonotonicClock.seconds
        guard left > 0 else { return (out, err, true) }
        if let look {
          if MonotonicClock.seconds >= nextLook {
            look.run()
            nextLook = max(nextLook + look.every, MonotonicClock.seconds + look.every / 4)
          }
          left = min(left, nextLook - MonotonicClock.seconds)
        }
        var polled = [
          pollfd(fd: input.write, events: Int16(POLLOUT), revents: 0),
          pollfd(fd: output.read, events: Int16(POLLIN), revents: 0),
          pollfd(fd: error.read, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&polled, 3, Int32(min(max(0, left) * 1000 + 1, 60_000))) >= 0 || errno == EINTR else {
          return (out, err, true)
        }
        if polled[0].revents != 0 { feed(bytes, &written) }
        if polled[1].revents != 0, !take(output.read, into: &out, keepFirst: outputLimit) { close(&output.read) }
        if let onOutputLine { Self.handOutLines(of: out, after: &handedOut, to: onOutputLine) }
        if polled[2].revents != 0, !take(error.read, into: &err, keepLast: errorLimit) { close(&error.read) }
      }
      return (out, err, false)
    }

    private static func handOutLines(of bytes: [UInt8], after start: inout Int, to line: ([UInt8]) -> Void) {
      while let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
        line(Array(bytes[start..<newline]))
        start = newline + 1
      }
    }

    private func feed(_ bytes: [UInt8], _ written: inout Int) {
      let count = bytes.withUnsafeBytes {
        write(input.write, $0.baseAddress?.advanced(by: written), bytes.count - written)
      }
      if count > 0 { written += count }
      // A child that does not want its input (EPIPE) is not an error of ours: its exit status tells.
      if written == bytes.count || (count < 0 && errno != EAGAIN && errno != EINTR) { close(&input.write) }
    }

    /// Reads once. False at the end of the stream.
    private func take(
      _ descriptor: Int32, into buffer: inout [UInt8], keepFirst: Int? = nil, keepLast: Int? = nil
    ) -> Bool {
      withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { chunk in
        let count = read(descriptor, chunk.baseAddress, chunk.count)
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        guard count > 0 else { return false }
        let bytes = UnsafeRawBufferPointer(rebasing: chunk[..<count])
        if let keepFirst {
          buffer.append(contentsOf: bytes.prefix(max(0, keepFirst - buffer.count)))
        } else {
          buffer.append(contentsOf: bytes)
          if let keepLast, buffer.count > 2 * keepLast { buffer.removeFirst(buffer.count - keepLast) }
        }
        return true
      }
    }
  }
}
