import Foundation
import TestSupport
import Testing
import Tools

@testable import Azure

@Suite("What the VM says of its first boot is read from inside, whatever state it is in")
struct GuestVerdictTests {
  /// Runs the script of the look as the VM would, with its folders and its `cloud-init` in a folder of the test.
  private func look(cloudInit: String?, files: [String: String]) async throws -> (verdict: GuestVerdict, bytes: Int) {
    try await withTemporaryFolder { folder in
      var script = GuestVerdict.script
      for path in ["/var/lib/cf-bench", "/etc/ssh"] {
        try FileManager.default.createDirectory(atPath: folder + path, withIntermediateDirectories: true)
        script = script.replacing("\"\(path)", with: "\"\(folder)\(path)")
      }
      for (path, text) in files { try Data(text.utf8).write(to: URL(filePath: folder + path)) }
      try Data((cloudInit ?? "").utf8).write(to: URL(filePath: folder + "/status.json"))
      if cloudInit != nil {
        try placeProgram("#!/bin/sh\ncat '\(folder)/status.json'\nexit 1\n", at: folder + "/cloud-init")
      }
      var environment = ProcessInfo.processInfo.environment
      environment["PATH"] = "\(folder):\(environment["PATH"] ?? "/usr/bin:/bin")"
      let output = try await ChildTool(program: "sh", environment: environment).run(
        ["-c", script], limit: .seconds(300))
      try #require(output.succeeded, "\(output.error)")
      return (GuestVerdict(output: output.output), output.output.utf8.count)
    }
  }

  private let key = ["/etc/ssh/ssh_host_ed25519_key.pub": "ssh-ed25519 AAAAC3Nza root@vm\n"]
  private let done = ["/var/lib/cf-bench/provisioned.json": #"{"schema": 1}"#]

  @Test("all steps done: ready, with the host key and without its comment")
  func ready() async throws {
    let found = try await look(cloudInit: #"{"status": "done", "errors": []}"#, files: key.merging(done) { $1 }).verdict
    #expect(found == GuestVerdict(state: .ready, hostKey: "ssh-ed25519 AAAAC3Nza"))
  }

  @Test("cloud-init at work, or not yet installed: busy")
  func busy() async throws {
    #expect(try await look(cloudInit: #"{"status": "running"}"#, files: key.merging(done) { $1 }).verdict.isBusy)
    #expect(try await look(cloudInit: nil, files: [:]).verdict.isBusy)
    #expect(GuestVerdict(output: "Enable succeeded").isBusy)
  }

  @Test("a step that failed is named, even when its words are no good JSON, and fits what Azure passes on")
  func failed() async throws {
    let words = String(repeating: "x", count: 9000) + " no\tmatching wheel"
    let broken = "{\"schema\": 1, \"step\": \"tools\", \"words\": \"\(words)\"}"
    let errors = String(repeating: "e", count: 5000)
    let found = try await look(
      cloudInit: "{\"status\": \"error\", \"errors\": [\"\(errors)\"]}",
      files: key.merging(["/var/lib/cf-bench/failed.json": broken]) { $1 })
    guard case .failed(let step, let said) = found.verdict.state else {
      Issue.record("\(found.verdict)")
      return
    }
    #expect(step == "tools")
    #expect(said.hasSuffix("no\tmatching wheel"))
    #expect(found.bytes < 4000)
    let torn = try await look(cloudInit: nil, files: ["/var/lib/cf-bench/failed.json": "{\"step\": \"to"]).verdict
    #expect(torn.state == .failed(step: "unknown", words: "{\"step\": \"to"))
  }

  @Test("cloud-init that ended without our steps failed, with its own words")
  func without() async throws {
    let error = try await look(cloudInit: #"{"status": "error", "errors": ["bad schema"]}"#, files: key).verdict
    #expect(error.state == .failed(step: "cloud-init", words: "bad schema"))
    let disabled = try await look(cloudInit: #"{"status": "disabled", "errors": []}"#, files: key).verdict
    #expect(disabled.state == .failed(step: "cloud-init", words: "it ended (disabled) without cf-bench's steps"))
  }
}

extension GuestVerdict {
  fileprivate var isBusy: Bool { if case .busy = state { true } else { false } }

  fileprivate init(state: State, hostKey: String?) {
    self.init(output: "")
    self.state = state
    self.hostKey = hostKey
  }
}
