import Foundation
import Shared
import Testing

@testable import Agent

/// Another stand-in for the real service, on a port of its own: gives the recorded answers of one function, or refuses.
private final class SecondStandIn {
  let port: Int
  private let process = Process()
  private let output = Pipe()

  init(_ rig: SideRig, recording: String, key: String) throws {
    try rig.write(
      "second.py",
      """
      import http.server, json, sys
      recording, key = json.load(open(sys.argv[1])), sys.argv[2]

      class Handler(http.server.BaseHTTPRequestHandler):
          def do_POST(self):
              raw = self.rfile.read(int(self.headers["Content-Length"]))
              body, status, found = json.loads(raw), 403, {"error": "who are you?"}
              if self.headers["Authorization"] == "Bearer " + key:
                  status, found = 200, {}
                  for answer in recording["answers"]:
                      same = isinstance(body, list) or answer.get("test_index") == body.get("test_index")
                      if answer["endpoint"] == self.path and same:
                          status, found = answer.get("status", 200), answer.get("body", {"ranking": [0, 1]})
              content = json.dumps(found).encode()
              self.send_response(status)
              self.send_header("Content-Type", "application/json")
              self.send_header("Content-Length", str(len(content)))
              self.end_headers()
              self.wfile.write(content)

          do_GET = do_POST

          def log_message(self, *_):
              pass

      server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
      print(server.server_port, flush=True)
      server.serve_forever()
      """)
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", rig.folder + "/second.py", recording, key]
    process.standardOutput = output
    try process.run()
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  /// Children of the test program start with signals that it blocks: only this one is sure to end them.
  deinit {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}

extension OptimizeLayerTests {
  @Suite("With answers of a live service", .serialized, .enabled(if: Loopback.isFree))
  struct Live {
    private static let recording =
      SideRig.packageRoot + "/fixtures/depot/recordings/depot.pricing.total_with_tax.json"

    @Test("what the service says is recorded, can be replayed, and holds no key")
    func record() throws {
      let rig = try CodeflashRig()
      let key = "cf-secret-\(UUID().uuidString)"
      let service = try SecondStandIn(rig.rig, recording: Self.recording, key: key)
      rig.rig.secrets = ["CODEFLASH_API_KEY": key]
      let side = try rig.side()
      try rig.optimize(
        try rig.project(), on: side, answers: .live, address: "http://127.0.0.1:\(service.port)", keepsRecordings: true)
      #expect(rig.findings == [CodeflashRig.quick: .found], "\(rig.events.troubles)")
      #expect(rig.events.runs.first?.network == "open")
      let made = try #require(rig.events.recordings.first)
      #expect(made.function == CodeflashRig.quick && !made.content.contains(key))
      try expectNoKey(key, below: rig.rig.scratch)

      let second = try CodeflashRig()
      let project = try second.project { folder in
        try Data(made.content.utf8).write(to: folder.appending(path: "recordings/depot.pricing.total_with_tax.json"))
      }
      let context = try second.rig.context([side], of: "codeflash")
      let runner = try CodeflashRunner.prepare(
        CodeflashRunPlan(project: project, loopingSeconds: 0.3), in: context)
      let judge = FindingJudge(runner: runner, remeasurement: try Remeasurement(runner))
      let opportunity = try #require(runner.project.list.functions.first { $0.function == CodeflashRig.quick })
      let replayed = try judge.judge(try runner.run(opportunity, on: side, block: 0), on: side).run
      #expect(replayed.finding == .found, "\(replayed)")
    }

    /// The scratch still has HOME and TMPDIR of the last run: codeflash writes the key that it has into `.bashrc`.
    private func expectNoKey(_ key: String, below folder: String) throws {
      for path in try FileManager.default.subpathsOfDirectory(atPath: folder) {
        guard let content = FileManager.default.contents(atPath: "\(folder)/\(path)") else { continue }
        #expect(content.range(of: Data(key.utf8)) == nil, "\(path)")
      }
    }

    @Test("a wrong key is said so")
    func wrongKey() throws {
      let rig = try CodeflashRig()
      let service = try SecondStandIn(rig.rig, recording: Self.recording, key: "cf-right")
      rig.rig.secrets = ["CODEFLASH_API_KEY": "cf-wrong"]
      try rig.optimize(
        try rig.project(), on: try rig.side(), answers: .live, address: "http://127.0.0.1:\(service.port)")
      let problem = try #require(rig.events.troubles.first?.problem)
      #expect(problem.why == "the service refused the key" && problem.fix.contains("CODEFLASH_API_KEY"), "\(problem)")
    }

    @Test("no key, and a service that is not there")
    func noService() throws {
      let rig = try CodeflashRig()
      let (side, project) = (try rig.side(), try rig.project())
      let missing = try #require(throws: Problem.self) { try rig.optimize(project, on: side, answers: .live) }
      #expect(missing.what.contains("no key") && missing.exitStatus == .usage)
      rig.rig.secrets = ["CODEFLASH_API_KEY": "cf-x"]
      try rig.optimize(project, on: side, answers: .live, address: "http://127.0.0.1:1")
      let problem = try #require(rig.events.troubles.first?.problem)
      #expect(problem.why?.contains("can't be reached") == true, "\(problem)")
    }
  }
}
