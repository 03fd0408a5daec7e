import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("Files come over the agent's own door whole, or not at all", .programs)
struct UploadReceiverTests {
  private func pieces(_ bytes: [UInt8], size: Int = Piece.maximumBytes) -> [AgentRequest] {
    stride(from: 0, to: bytes.count, by: size).map {
      .piece(Piece(data: Data(bytes[$0..<min($0 + size, bytes.count)])))
    }
  }

  private func id(_ bytes: [UInt8]) throws -> UploadID { try #require(UploadID(sha256: SHA256.hex(bytes))) }

  private func receive(
    _ file: UploadID, _ bytes: [UInt8], as kind: ReceiveRequest.Kind, told: Int? = nil
  ) -> [AgentRequest] {
    [.receive(ReceiveRequest(file: file, bytes: told ?? bytes.count, kind: kind))] + pieces(bytes)
  }

  private func refusals(_ messages: [AgentMessage]) -> [Problem] {
    messages.compactMap { if case .refused(let refused) = $0 { refused.problem } else { nil } }
  }

  /// All files below a folder, by their paths in it.
  private func files(_ folder: String) -> [String] {
    (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).filter {
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: "\(folder)/\($0)", isDirectory: &isFolder) && !isFolder.boolValue
    }
  }

  /// A program that leaves a trace when it is run, with some ballast.
  private func trap(_ canary: String, _ random: inout SeededRandom) -> [UInt8] {
    Array("#!/bin/sh\ntouch '\(canary)'\nexit\n".utf8)
      + (0..<400_000).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  @Test(
    "damaged and cut ones are refused in words, nothing of them stays or is run, and the next one is taken")
  func damage() async throws {
    let trials = TrialReport.count(usual: 10)
    let began = ContinuousClock.now
    var held = 0
    for number in 0..<trials {
      let isHeld = try await withTemporaryFolder { try trial(number, in: $0) }
      held += isHeld ? 1 : 0
    }
    TrialReport.print(
      "uploads with a flipped bit or a cut", trials: trials, held: held, worst: "\(trials - held) run or kept",
      since: began)
  }

  /// One file that is damaged or cut on its way, and then sent once more.
  private func trial(_ number: Int, in folder: String) throws -> Bool {
    var random = TrialReport.random(for: "uploads \(number)")
    let home = Conversation(home: folder + "/home")
    try FileManager.default.createDirectory(atPath: home.home, withIntermediateDirectories: true)
    let canary = folder + "/canary"
    let good = trap(canary, &random)
    let file = try id(good)
    let isCut = number % 2 == 1
    var bad = good
    if isCut {
      bad.removeLast(Int.random(in: 1..<good.count, using: &random))
    } else {
      bad[Int.random(in: 0..<good.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    }
    let first = refusals(try home.send(receive(file, bad, as: .agent, told: good.count)))
    let isSaid = first.count == 1 && first[0].what.contains(isCut ? "incomplete" : "damaged")
    let isGone = files(home.home).allSatisfy { $0.hasPrefix("lock") }
    let isRefused = refusals(try home.send([.upgrade(UpgradeRequest(agent: file))])).count == 1
    let isRunBefore = FileManager.default.fileExists(atPath: canary)
    let again = try home.send(receive(file, good, as: .agent))
    let place = "\(home.home)/agents/\(file)/cf-bench-agent"
    let isRepaired =
      again == [.received(Received(file: file))] && FileManager.default.contents(atPath: place) == Data(good)
    let isHeld = isSaid && isGone && isRefused && isRepaired && !isRunBefore
    #expect(isHeld, "trial \(number): \(first) \(again)")
    return isHeld
  }

  @Test("an upload, an empty one and one of several pieces, each in its place with its mode")
  func whole() async throws {
    try await withTemporaryFolder { folder in
      let home = Conversation(home: folder)
      let (small, large): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 7, count: 3 * Piece.maximumBytes + 5))
      let messages = try home.send(
        receive(try id(small), small, as: .upload) + receive(try id(large), large, as: .upload)
          + [.uploads(UploadsRequest(uploads: [try id(small), try id(large)]))])
      #expect(
        messages == [
          .received(Received(file: try id(small))), .received(Received(file: try id(large))),
          .uploads(UploadsReply(missing: [], folder: folder + "/uploads")),
        ])
      let mode = try FileManager.default.attributesOfItem(atPath: "\(folder)/uploads/\(id(large))")[.posixPermissions]
      #expect(mode as? Int == 0o600)
    }
  }

  @Test("too long, longer than told, a piece of nothing: one refusal each, and the conversation goes on")
  func bounds() async throws {
    try await withTemporaryFolder { folder in
      let bytes = [UInt8](repeating: 1, count: 1000)
      let file = try id(bytes)
      let huge = AgentRequest.receive(ReceiveRequest(file: file, bytes: ReceiveRequest.maximumBytes + 1, kind: .upload))
      let messages = try Conversation(home: folder).send(
        [huge] + pieces(bytes, size: 100) + [.ping(Ping(number: 1))] + receive(file, bytes, as: .upload, told: 10)
          + [.piece(Piece(data: Data(bytes))), .ping(Ping(number: 2))])
      #expect(
        refusals(messages).map { $0.what.prefix(11) } == ["the benchma", "the benchma", "a piece cam"])
      #expect(messages.filter { if case .pong = $0 { true } else { false } }.count == 2)
      #expect(files(folder + "/uploads").isEmpty)
    }
  }

  @Test("what a killed agent left in the middle is swept away by the next file")
  func leftOver() async throws {
    try await withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/uploads", withIntermediateDirectories: true)
      try Data("half".utf8).write(to: URL(filePath: folder + "/uploads/.arriving-77-abc"))
      let bytes = Array("whole".utf8)
      _ = try Conversation(home: folder).send(receive(try id(bytes), bytes, as: .upload))
      #expect(files(folder + "/uploads") == [try id(bytes).sha256])
    }
  }

  @Test("an agent that can't start here is refused with the reason, and the one that asked goes on")
  func badAgents() async throws {
    try await withTemporaryFolder { folder in
      let home = Conversation(home: folder)
      var foreign = Array(try Data(contentsOf: URL(filePath: BuiltProduct.path("cf-bench-agent"))).prefix(64 << 10))
      foreign[18] = foreign[18] == 183 ? 62 : 183  // ELF's e_machine
      let agents: [(bytes: [UInt8], word: String)] = [
        (foreign, "processor"), (Array("#!/bin/sh\nexit 3\n".utf8), "exited with 3"),
        (Array("#!/nowhere/loader\n".utf8), "C library"),
        (Array("#!/bin/sh\necho \"x: /lib/libc.so.6: version GLIBC_2.99 not found\" >&2; exit 1\n".utf8), "older"),
      ]
      for (bytes, word) in agents {
        let file = try id(bytes)
        #expect(try home.send(receive(file, bytes, as: .agent)) == [.received(Received(file: file))])
        let reasons = refusals(try home.send([.upgrade(UpgradeRequest(agent: file))]))
        #expect(reasons.count == 1 && reasons[0].why?.contains(word) == true, "\(word): \(reasons)")
        #expect(!FileManager.default.fileExists(atPath: folder + "/cf-bench-agent"))
      }
      let file = try id(agents[1].bytes)
      let early = try home.send([.upgrade(UpgradeRequest(agent: file)), .ping(Ping(number: 3))])
      #expect(refusals(early).count == 1 && early.last == .pong(Ping(number: 3)))
    }
  }
}
