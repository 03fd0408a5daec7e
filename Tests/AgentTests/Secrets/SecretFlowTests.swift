import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("A secret reaches whom the manifest names, and stands nowhere else", .programs)
struct SecretFlowTests {
  private static let name = "DEPOT_SERVICE_TOKEN"
  private static let value = "plain \"sight\" 7f3a/é"

  /// Shows what it was given in every way, then fails, so that its words get into the journal.
  private static let program = """
    import base64, json, os, sys, time, urllib.parse
    token = os.environ["\(name)"]
    assert "OTHER_TOKEN" not in os.environ and "CODEFLASH_API_KEY" not in os.environ
    time.sleep(0.2)
    for text in (token, json.dumps(token), urllib.parse.quote(token), token.encode().hex()):
        print("says", text, file=sys.stderr)
    print("says", base64.b64encode(b"x" + token.encode()).decode(), file=sys.stderr)
    sys.exit(3)
    """

  @Test(
    "a command of the target has it; no process of the agent shows it, and no file of the job holds it")
  func flow() async throws {
    try await TestSupport.withTemporaryFolder { folder in
      let job = try ConfinedJob(in: folder)
      var manifest = try job.manifest("secretive", program: Self.program, blocks: 2)
      manifest.secrets = [Self.name]
      let watch = ProcessWatch(secret: Self.value, home: job.far)
      watch.start()
      let messages = try job.run(
        manifest, secrets: [Self.name: Self.value, "OTHER_TOKEN": "not named", "CODEFLASH_API_KEY": "cf-not-named"])
      let seen = watch.stop()
      #expect(seen.looks > 0 && seen.leaks.isEmpty, "\(seen)")
      let events = try job.events(messages)
      let words = events.troubles.compactMap(\.why).joined(separator: "\n")
      #expect(words.components(separatedBy: "says ***").count >= 4, "\(words)")
      let forms = [
        Self.value, "plain \\\"sight\\\" 7f3a", "plain%20%22sight",
        Data(Self.value.utf8).map { String(format: "%02x", $0) }.joined(),
        String(Data(("x" + Self.value).utf8).base64EncodedString().dropFirst(4).dropLast(6)),
      ]
      for path in try FileManager.default.subpathsOfDirectory(atPath: job.far + "/jobs") {
        guard let content = FileManager.default.contents(atPath: "\(job.far)/jobs/\(path)") else { continue }
        for form in forms { #expect(content.range(of: Data(form.utf8)) == nil, "\(path): \(form)") }
      }
    }
  }

  @Test("one that is needed and that nobody gave is said before anything is begun")
  func missing() async throws {
    try await TestSupport.withTemporaryFolder { folder in
      let job = try ConfinedJob(in: folder)
      var manifest = try job.manifest("needy", program: "pass")
      manifest.secrets = [Self.name]
      let messages = try job.run(manifest)
      guard case .refused(let refused) = messages.first else {
        Issue.record("\(messages)")
        return
      }
      #expect(refused.problem.what.contains(Self.name) && refused.problem.exitStatus == .usage)
      #expect(!FileManager.default.fileExists(atPath: job.far + "/jobs/needy"))
    }
  }

  @Test(
    "names that decide how commands run are none of a secret",
    arguments: ["PATH", "LD_PRELOAD", "A=B", "", "a b", "1A"])
  func names(name: String) throws {
    var manifest = try Manifests.sleeping(name: "named", blocks: 1)
    manifest.secrets = [name]
    #expect(throws: Problem.self) { try ManifestCheck.check(manifest) }
  }

  @Test("a pipe carries them from one process to the next, and what is too long is said")
  func pipe() throws {
    var manifest = try Manifests.sleeping(name: "piped", blocks: 1)
    manifest.secrets = ["BIG_TOKEN"]
    let large = String(repeating: "x", count: Secrets.mostBytes - 100)
    let admitted = try Secrets.admitted(["BIG_TOKEN": large + "\n", "X": "y"], environment: [:], for: manifest)
    #expect(admitted == ["BIG_TOKEN": large])
    let end = try SecretsPipe.filled(with: admitted)
    let file = FileHandle(fileDescriptor: end, closeOnDealloc: true)
    let read = try JSONDecoder().decode([String: String].self, from: file.readDataToEndOfFile())
    #expect(read == admitted)
    #expect(throws: Problem.self) {
      try Secrets.admitted(["BIG_TOKEN": large + large], environment: [:], for: manifest)
    }
  }
}

/// Looks at what /proc shows of the agent's processes of one home, again and again until it is told to stop.
private final class ProcessWatch: @unchecked Sendable {
  struct Seen: Sendable {
    var looks = 0
    var leaks: [String] = []
  }
  private let secret: [UInt8]
  private let home: [UInt8]
  // One flag, set once by one thread and read by another: which of two values is read does not matter.
  private let lock = NSLock()
  private var isOver = false
  private var seen = Seen()
  private let done = DispatchSemaphore(value: 0)

  init(secret: String, home: String) {
    self.secret = Array(secret.utf8)
    self.home = Array("CF_BENCH_HOME=\(home)".utf8)
  }

  /// On a thread of its own: the tests' own may all be busy.
  func start() { Thread.detachNewThread { self.run() } }

  func stop() -> Seen {
    lock.withLock { isOver = true }
    done.wait()
    return seen
  }

  private func run() {
    while !lock.withLock({ isOver }) {
      let pids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
      for pid in pids {
        // A process that is gone meanwhile shows nothing.
        guard let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ"),
          let words = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline"),
          environment.range(of: Data(home)) != nil, words.range(of: Data("cf-bench-agent".utf8)) != nil
        else { continue }
        seen.looks += 1
        if environment.range(of: Data(secret)) != nil || words.range(of: Data(secret)) != nil {
          seen.leaks.append(String(decoding: words.prefix(200), as: UTF8.self))
        }
      }
      usleep(20_000)
    }
    done.signal()
  }
}
