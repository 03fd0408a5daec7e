import Foundation
import SSH
import Shared

/// The way to an agent whose key lets in nothing but that agent (a forced command): whatever was asked for, it is who answers.
/// Files go to it over the session itself, and it goes on as another agent when it is asked to.
struct AgentUpdater {
  var session: AgentSession
  var agent: AgentBinary

  /// Has the benchmark host go on as this controller's agent where it is none newer and can; says in one line where it stays as
  /// it is.
  /// - Returns: the hello of whoever answers from now on.
  func settle(_ hello: HelloReply, note: (String) -> Void) async throws -> HelloReply {
    if let reason = reasonToStay(hello) {
      note("keeping the agent that \(session.machine) has, release \(hello.agentVersion): \(reason)")
      return hello
    }
    do {
      // It may have been brought before; then nothing has to be sent.
      do { try await upgrade() } catch is Problem {
        note("bringing the agent to \(session.machine) (\(agent.bytes >> 20) MB)")
        try await session.deliver(agent.path, bytes: agent.bytes, as: agent.sha256, kind: .agent)
        try await upgrade()
      }
    } catch let problem as Problem {
      note(
        "keeping the agent that \(session.machine) has, release \(hello.agentVersion): \(problem.why ?? problem.what)"
      )
      return hello
    }
    return try await session.greet()
  }

  /// Why the agent there is not replaced; `nil` when it is to be.
  private func reasonToStay(_ hello: HelloReply) -> String? {
    if ReleaseNumber(hello.agentVersion) > ReleaseNumber(Version.current) { return "it is newer than this cf-bench" }
    guard hello.has(.receive), hello.has(.upgrade) else { return "it is too old to replace itself" }
    return ForeignMachine(agent, system: hello.system, machine: hello.architecture, at: session.machine)?.why
  }

  private func upgrade() async throws {
    guard let id = UploadID(sha256: agent.sha256) else { preconditionFailure("a SHA-256 has 64 hexadecimal digits") }
    let answer = try await session.answer(
      to: .upgrade(UpgradeRequest(agent: id)), within: .seconds(60), waitingFor: "the agent's change")
    guard case .upgrading = answer else {
      throw ConnectionEnded(machine: session.machine, during: "the agent's change")
    }
  }
}

/// A release's number, in the order of releases: `0.10.0` is newer than `0.9.1`, what has no number is oldest.
struct ReleaseNumber: Comparable {
  private var parts: [Int]

  init(_ text: String) {
    parts = text.split(separator: "-").first.map { $0.split(separator: ".").map { Int($0) ?? -1 } } ?? []
    while parts.last == 0 { parts.removeLast() }
  }

  static func < (one: ReleaseNumber, other: ReleaseNumber) -> Bool { one.parts.lexicographicallyPrecedes(other.parts) }
}

extension AgentSession {
  /// Says hello to whoever is there now.
  func greet() async throws -> HelloReply {
    guard
      case .hello(let hello) = try await answer(
        to: .hello(HelloRequest()), within: .seconds(20), waitingFor: "the agent's hello")
    else { throw ConnectionEnded(machine: machine, during: "the agent's hello") }
    guard hello.protocolVersion == Version.wireProtocol else { throw ForeignAgent(hello, machine: machine) }
    return hello
  }

  /// Sends a file over this session, and once more when it arrives damaged.
  /// - Throws: the benchmark host's ``Problem``, as when its disk is full.
  func deliver(_ path: String, bytes: Int, as sha256: String, kind: ReceiveRequest.Kind) async throws {
    guard let file = UploadID(sha256: sha256) else { preconditionFailure("a SHA-256 has 64 hexadecimal digits") }
    let request = ReceiveRequest(file: file, bytes: bytes, kind: kind)
    do { try await send(path, request) } catch let problem as Problem where problem.what == ReceiveRequest.damaged {
      try await send(path, request)
    }
  }

  private func send(_ path: String, _ request: ReceiveRequest) async throws {
    // A slow line is given ten seconds a mebibyte, on top of half a minute.
    let limit = Duration.seconds(30 + 10 * (request.bytes >> 20))
    let first = try AgentRequest.receive(request).line()
    try await withLimit(limit, waitingFor: "a file to be sent") { [wire] in
      try await wire.send(first)
      let file = try FileHandle(forReadingFrom: URL(filePath: path))
      defer { try? file.close() }  // only read from
      while let data = try file.read(upToCount: Piece.maximumBytes), !data.isEmpty {
        try await wire.send(try AgentRequest.piece(Piece(data: data)).line())
      }
    }
    while let message = try await next(within: limit, waitingFor: "a file to arrive") {
      switch message {
      case .event, .pong, .unknown: continue
      case .refused(let refused): throw refused.problem
      case .received(let received) where received.file == request.file: return
      default: throw ConnectionEnded(machine: machine, during: "a file to arrive")
      }
    }
    throw ConnectionEnded(machine: machine, during: "a file to arrive")
  }
}
