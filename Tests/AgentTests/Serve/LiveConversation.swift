import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

/// A real `cf-bench-agent serve` that is talked to line by line while it lives.
final class LiveConversation {
  private let agent: HelperProcess

  /// - Parameter path: folders that its programs are looked up in before the system's.
  init(home: String, path: String, _ requests: [AgentRequest]) throws {
    let child = ChildProcess(
      program: try BuiltProduct.path("cf-bench-agent"), arguments: ["serve"],
      environment: [
        "PATH": "\(path):/usr/bin:/bin", "HOME": home, "CF_BENCH_HOME": home, "CF_BENCH_LOCK": home + "/lock",
      ], directory: "/", limitSeconds: 120)
    agent = try HelperProcess(child, input: try requests.flatMap { try $0.line() })
  }

  /// The next message; fails the test when none comes within a minute.
  func next(sourceLocation: SourceLocation = #_sourceLocation) throws -> AgentMessage {
    let line = try #require(agent.line(within: 60), "no answer: \(agent.outputTail)", sourceLocation: sourceLocation)
    return try line.withUnsafeBytes { try AgentMessage(line: $0) }
  }
}
