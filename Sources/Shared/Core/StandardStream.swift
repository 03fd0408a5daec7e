import CLibrary

/// Standard output or standard error of this process.
public enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Writes all of it, and waits for as long as whoever reads takes nothing.
  public func write(_ bytes: [UInt8]) throws(OutputFailure) {
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { putBytes(rawValue, $0) }
      if count > 0 {
        written += count
      } else if count < 0, errno == EAGAIN {
        var wait = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        poll(&wait, 1, -1)
      } else if count == 0 || errno != EINTR {
        throw OutputFailure(stream: self, code: count == 0 ? EIO : errno)
      }
    }
  }

  public func write(_ text: String) throws(OutputFailure) { try write(Array(text.utf8)) }

  /// Keeps the numbers of closed streams from the first files that are opened: what is printed would end up in those. Writing to
  /// such a stream fails as before. To be called before anything else.
  public static func occupyClosed() {
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
      // The other way round than it is used, so that each use fails (as glibc does for setuid programs); where even that can't be
      // had, nothing is printed.
      _ = open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }
}

/// write(2), whose name is taken inside the type above.
private func putBytes(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(file, bytes.baseAddress, bytes.count)
}

/// What was to be printed could not be.
public struct OutputFailure: UserFacingError, Equatable {
  public var stream: StandardStream
  /// An errno.
  public var code: Int32

  /// Whoever read has seen enough, as `head` has: nothing to tell anybody.
  public var isBrokenPipe: Bool { code == EPIPE }

  public var what: String { "standard \(stream == .output ? "output" : "error") can't be written" }
  public var why: String? { String(cString: strerror(code)) }
  public var fix: String {
    switch code {
    case ENOSPC, EDQUOT: "make room where it is written to, or write it somewhere else"
    case EBADF: "leave it open; '>/dev/null' throws away what is printed"
    default: "look at the file, terminal or program that it goes to"
    }
  }
  public var exitStatus: ExitStatus { isBrokenPipe ? .brokenPipe : .infrastructure }
}
