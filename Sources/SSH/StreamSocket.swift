import CLibrary

/// What is asked of sockets, in one place because the systems name it differently.
enum StreamSocket {
  /// A non-blocking stream socket that children do not inherit; -1 with errno set when there is none.
  static func make(family: CInt) -> CInt {
    let descriptor = makeStreamSocket(family: family)
    guard descriptor >= 0 else { return -1 }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    #if !canImport(Glibc)
      set(descriptor, SOL_SOCKET, SO_NOSIGPIPE, 1)
    #endif
    return descriptor
  }

  /// The error of a connect(2) that went on in the background; 0 when it is through.
  static func pendingError(_ descriptor: CInt) -> CInt {
    var code: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno
  }

  /// Small packets leave at once (requests are small), and the kernel gives up a peer that does not acknowledge for `silence`.
  static func configure(_ descriptor: CInt, silence: Duration) {
    let seconds = CInt(clamping: max(silence.components.seconds, 3))
    set(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
    set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
    #if canImport(Glibc)
      set(descriptor, CInt(IPPROTO_TCP), TCP_KEEPIDLE, seconds / 3)
      set(descriptor, CInt(IPPROTO_TCP), TCP_KEEPINTVL, seconds / 3)
      set(descriptor, CInt(IPPROTO_TCP), TCP_KEEPCNT, 3)
      set(descriptor, CInt(IPPROTO_TCP), TCP_USER_TIMEOUT, seconds * 1000)
    #endif
  }

  /// Acknowledge now instead of after 40 ms: the server's Nagle algorithm waits for it. The kernel forgets it, so it is said
  /// again before each wait.
  static func acknowledgeQuickly(_ descriptor: CInt) {
    #if canImport(Glibc)
      set(descriptor, CInt(IPPROTO_TCP), TCP_QUICKACK, 1)
    #endif
  }

  /// poll(2) events that tell of a peer that has gone.
  static var hangUp: Int16 {
    #if canImport(Glibc)
      // POLLRDHUP is hidden behind _GNU_SOURCE; its value is part of the kernel's interface.
      return 0x2000
    #else
      return 0
    #endif
  }

  static func send(_ descriptor: CInt, _ bytes: ArraySlice<UInt8>) -> Int {
    bytes.withUnsafeBytes { sendWithoutSignal(descriptor, $0) }
  }

  /// Options that only make things better: a system that refuses one is no reason to stop.
  private static func set(_ descriptor: CInt, _ level: CInt, _ option: CInt, _ value: CInt) {
    var value = value
    _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
  }
}
