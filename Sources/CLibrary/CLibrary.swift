// The C library under one name for whatever also builds on macOS. The agent is for Linux only and imports Glibc itself.
#if canImport(Glibc)
  @_exported import Glibc
#else
  @_exported import Darwin
#endif

/// The type of a stream socket, as socket(2) and getaddrinfo(3) take it.
public var streamSocketType: CInt {
  #if canImport(Glibc)
    CInt(SOCK_STREAM.rawValue)
  #else
    SOCK_STREAM
  #endif
}

/// A stream socket that programs do not inherit; -1 with errno set when there is none. On macOS one that another thread starts
/// at this very moment does.
public func makeStreamSocket(family: CInt) -> CInt {
  #if canImport(Glibc)
    return socket(family, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  #else
    let descriptor = socket(family, SOCK_STREAM, 0)
    if descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    return descriptor
  #endif
}

/// The ends of a pipe that programs do not inherit, but for one that another thread starts at this very moment; `nil` with
/// errno set when there is none.
public func makePipe() -> (reader: CInt, writer: CInt)? {
  var ends: [CInt] = [-1, -1]
  guard pipe(&ends) == 0 else { return nil }
  for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  return (ends[0], ends[1])
}

/// send(2) for which a peer that is gone is an error and no signal. On macOS the socket needs SO_NOSIGPIPE for that.
public func sendWithoutSignal(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
  #if canImport(Glibc)
    send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
  #else
    send(descriptor, bytes.baseAddress, bytes.count, 0)
  #endif
}

/// Runs `work` on a detached thread of its own, for what blocks and cannot be interrupted.
/// - Returns: 0, or the error number of pthread_create(3); the work then never runs.
public func startThread(_ work: @escaping @Sendable () -> Void) -> CInt {
  let box = Unmanaged.passRetained(ThreadWork(run: work))
  #if canImport(Glibc)
    var thread = pthread_t()
  #else
    var thread: pthread_t?
  #endif
  let code = pthread_create(&thread, nil, { runThread($0) }, box.toOpaque())
  guard code == 0 else {
    box.release()
    return code
  }
  #if canImport(Glibc)
    pthread_detach(thread)
  #else
    if let thread { pthread_detach(thread) }
  #endif
  return 0
}

private final class ThreadWork: Sendable {
  let run: @Sendable () -> Void

  init(run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Glibc's thread function takes an optional pointer, Darwin's one that is there.
private func runThread(_ box: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let box { Unmanaged<ThreadWork>.fromOpaque(box).takeRetainedValue().run() }
  return nil
}
