import CLibrary
import Shared

/// One address a host can be reached at, ready for connect(2).
struct SocketAddress: Sendable {
  let family: CInt
  private let bytes: [UInt8]

  fileprivate init?(_ info: addrinfo) {
    guard let address = info.ai_addr else { return nil }
    family = info.ai_family
    bytes = Array(UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen)))
  }

  /// A path of a UNIX socket; `nil` when it is too long for one.
  init?(unixPath: String) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array(unixPath.utf8) + [0]
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
      guard path.count <= room.count else { return false }
      room.copyBytes(from: path)
      return true
    }
    guard fits else { return nil }
    family = AF_UNIX
    bytes = withUnsafeBytes(of: address) { Array($0) }
  }

  func connect(_ descriptor: CInt) -> CInt {
    bytes.withUnsafeBytes { buffer in
      guard let address = buffer.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return -1 }
      return CLibrary.connect(descriptor, address, socklen_t(buffer.count))
    }
  }
}

/// Finds the addresses of a host with getaddrinfo(3), which cannot be interrupted: it runs on a thread of its own, which is
/// left to itself when nobody waits any more.
enum Resolver {
  private typealias Answer = Result<[SocketAddress], SSHError>

  static func addresses(of destination: SSHDestination, limit: Duration) async throws -> [SocketAddress] {
    // An address in figures needs no question to anyone.
    if case .success(let addresses) = look(up: destination, flags: AI_NUMERICHOST) { return addresses }
    let answer = AsyncCondition<Answer?>(nil)
    let code = startThread { answer.update { $0 = look(up: destination, flags: AI_ADDRCONFIG) } }
    guard code == 0 else { throw SSHError(step: .resolve, cause: .system(code)) }
    return try await withLimit(limit, late: SSHError(step: .resolve, cause: .limitPassed(limit))) {
      try await answer.wait { $0 }.get()
    }
  }

  private static func look(up destination: SSHDestination, flags: CInt) -> Answer {
    var hints = addrinfo()
    hints.ai_flags = flags | AI_NUMERICSERV
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = streamSocketType
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(destination.host, String(destination.port), &hints, &list)
    guard code == 0 else {
      let words = code == EAI_SYSTEM ? errnoWords(errno) : String(cString: gai_strerror(code))
      return .failure(SSHError(step: .resolve, cause: .noAddress(words)))
    }
    defer { freeaddrinfo(list) }
    let addresses = sequence(first: list, next: { $0?.pointee.ai_next }).prefix { $0 != nil }
      .compactMap { $0.flatMap { SocketAddress($0.pointee) } }
    return .success(addresses)
  }
}
