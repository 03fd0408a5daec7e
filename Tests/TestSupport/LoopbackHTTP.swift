import CLibrary
import Foundation

/// One plain HTTP request to a loopback port: enough to steer a fixture, and no library for it.
enum LoopbackHTTP {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// The body of the answer; throws unless its status is 200.
  static func send(_ method: String, _ path: String, port: Int, body: Data = Data()) throws -> Data {
    let connection = makeStreamSocket(family: AF_INET)
    defer { close(connection) }
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw Failure(description: "port \(port): \(String(cString: strerror(errno)))") }
    let head = ["\(method) \(path) HTTP/1.1", "Host: 127.0.0.1", "Connection: close", "Content-Length: \(body.count)"]
    try write(Data((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body, to: connection)
    return try content(of: readAll(connection), of: "\(method) \(path)")
  }

  private static func write(_ data: Data, to connection: Int32) throws {
    var rest = data[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { sendWithoutSignal(connection, $0) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw Failure(description: "sending: \(String(cString: strerror(errno)))") }
      rest = rest.dropFirst(written)
    }
  }

  private static func readAll(_ connection: Int32) throws -> Data {
    var answer = Data()
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = recv(connection, &buffer, buffer.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Failure(description: "receiving: \(String(cString: strerror(errno)))") }
      if count == 0 { return answer }
      answer.append(contentsOf: buffer[..<count])
    }
  }

  private static func content(of answer: Data, of request: String) throws -> Data {
    guard let gap = answer.firstRange(of: Data("\r\n\r\n".utf8)) else {
      throw Failure(description: "\(request): the answer has no head")
    }
    let body = Data(answer[gap.upperBound...])
    guard answer.starts(with: Data("HTTP/1.1 200".utf8)) else {
      throw Failure(description: "\(request): \(String(decoding: answer.prefix(2000), as: UTF8.self))")
    }
    return body
  }
}
