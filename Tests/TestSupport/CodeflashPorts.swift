import CLibrary
import Foundation

/// The ports that codeflash's client has fixed, on this machine's own loopback: one test at a time may use them.
public final class CodeflashPorts {
  public struct Taken: Error, CustomStringConvertible {
    public var description: String { "ports 8000 and 3001 of the loopback did not become free" }
  }

  private let lock: Int32

  private init(lock: Int32) { self.lock = lock }

  deinit { close(lock) }

  /// Waits until no other test has them, in this program or another; they are given back with the object.
  public static func hold(within seconds: Double = 300) async throws -> CodeflashPorts {
    let path = SchemaValidator.packageRoot.path + "/.build/codeflash-ports.lock"
    let held = CodeflashPorts(lock: open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o666))
    let end = Date.now + seconds
    while Date.now < end {
      if flock(held.lock, LOCK_EX | LOCK_NB) == 0, areFree { return held }
      try await Task.sleep(for: .milliseconds(100))
    }
    throw Taken()
  }

  public static var areFree: Bool {
    [8000, 3001].allSatisfy { port in
      let descriptor = makeStreamSocket(family: AF_INET)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) != 0
        }
      }
    }
  }
}
