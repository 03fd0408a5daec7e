import Foundation

/// Another stand-in for the real service, on a port of its own: gives the recorded answers of one function, or refuses.
public final class SecondStandIn {
  public let port: Int
  private let process = Process()
  private let output = Pipe()

  public struct Missing: Error, CustomStringConvertible {
    public var description: String { "the second stand-in did not say its port" }
  }

  /// - Parameter folder: where its script is written.
  public init(in folder: String, recording: String, key: String) throws {
    let script = folder + "/second.py"
    try Data(Self.script.utf8).write(to: URL(filePath: script))
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", script, recording, key]
    process.standardOutput = output
    try process.run()
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else { throw Missing() }
    self.port = port
  }

  /// Children of the test program start with signals that it blocks: only this one is sure to end them.
  deinit {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  private static let script = """
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
    """
}
