import Foundation
import Shared
import TestSupport
import Testing

@testable import Azure

@Suite("What is kept here: intents outlive their command, and nobody else reads them")
struct StateTests {
  private func withState(_ body: (StateFolder) throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      try body(StateFolder(environment: ["CF_BENCH_STATE": folder + "/state"]))
    }
  }

  private var intent: Intent { Intent(run: "r1", owner: "alice", vm: AzureVM(group: "G", name: "v")) }

  @Test("the folder: CF_BENCH_STATE over XDG_STATE_HOME over the home folder")
  func place() {
    #expect(StateFolder(environment: ["CF_BENCH_STATE": "/a", "XDG_STATE_HOME": "/b"]).path == "/a")
    #expect(StateFolder(environment: ["XDG_STATE_HOME": "/b", "HOME": "/h"]).path == "/b/cf-bench")
    #expect(StateFolder(environment: ["HOME": "/h"]).path == "/h/.local/state/cf-bench")
  }

  @Test("an intent of a living command is nobody else's; one that was let go is found with its last phase")
  func abandoned() async throws {
    try await withState { state in
      var open: OpenIntent? = try OpenIntent.create(intent, in: state)
      try open?.enter(.starting)
      #expect(OpenIntent.abandoned(in: state).isEmpty)
      #expect(OpenIntent.all(in: state).map(\.phase) == [.starting])
      open = nil  // as the kernel does for a killed command
      let found = try #require(OpenIntent.abandoned(in: state).first)
      #expect(found.intent.phase == .starting)
      #expect(found.intent.startedAt != nil)
      try found.clear()
      #expect(try FileManager.default.contentsOfDirectory(atPath: state.intents).isEmpty)
    }
  }

  @Test("a file that is no intent is named and left alone")
  func unreadable() async throws {
    try await withState { state in
      try state.make(state.intents)
      try state.write("{ no", to: state.intents + "/x.json")
      var named: [String] = []
      #expect(OpenIntent.abandoned(in: state) { named.append($0) }.isEmpty)
      #expect(named == [state.intents + "/x.json"])
      #expect(FileManager.default.fileExists(atPath: state.intents + "/x.json"))
    }
  }

  @Test("nothing in it can be read by others")
  func modes() async throws {
    try await withState { state in
      let open = try OpenIntent.create(intent, in: state)
      try open.enter(.on)
      let names = try #require(FileManager.default.enumerator(atPath: state.path)).compactMap { $0 as? String }
      #expect(names.count >= 3)
      for path in [state.path] + names.map({ "\(state.path)/\($0)" }) {
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect((mode ?? 0o777) & 0o077 == 0, "\(path)")
      }
    }
  }

  @Test("a folder that can't be written is an error in words before anything is started")
  func unwritable() {
    let state = StateFolder(environment: ["CF_BENCH_STATE": "/proc/nowhere"])
    let error = #expect(throws: Problem.self) { try OpenIntent.create(intent, in: state) }
    #expect(error?.fix.contains("CF_BENCH_STATE") == true)
  }
}

@Suite("Who is let in")
struct AllowedSourceTests {
  @Test(
    "addresses and ranges; never the whole internet",
    arguments: [
      ("auto", "auto"), ("none", "none"), ("203.0.113.7", "203.0.113.7/32"), ("203.0.113.0/24", "203.0.113.0/24"),
      ("2001:db8::1", "2001:db8::1/128"),
    ])
  func good(text: String, expected: String) {
    #expect(SourceRange(text)?.text == expected)
  }

  @Test(
    "what is none",
    arguments: ["", "*", "0.0.0.0/0", "1.2.3", "1.2.3.400", "1.2.3.4/33", "::/0", "1.2.3.4; rm", "Internet"])
  func bad(text: String) { #expect(SourceRange(text) == nil) }
}
