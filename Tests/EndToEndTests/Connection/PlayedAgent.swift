import Foundation
import LocalSSHD
import Shared
import TestSupport
import Testing

@testable import ControllerCore

/// A benchmark host whose agent is played by a script, for what the real one does only when it is hurt: behind a real sshd and
/// a proxy, it answers what the test tells it to, and writes down what it was asked.
struct PlayedAgent {
  var testbed: Testbed
  var server: PrivateSSHD
  var proxy: CuttingProxy
  var machine: [String]

  /// What it does when somebody attaches; the last one again and again.
  struct Act: Encodable {
    /// The number it says to go on after; what was asked for if nil.
    var after: Int?
    /// Lines of the journal that it has; those up to ``after`` are left out.
    var lines: [String]
    /// Whether the job has ended after them; else the session ends, or stays open.
    var ends = true
    var stays = false
  }

  struct Play: Encodable {
    var acts: [Act] = []
    var jobs: [JobSummary] = []
    /// A submit is answered once a cancel has come.
    var holdsSubmit = false
    /// A cancel is answered once the file `go` is there.
    var holdsCancel = false
  }

  static func with(_ play: Play, _ body: (PlayedAgent) async throws -> Void) async throws {
    try await Testbed.with { testbed in
      try testbed.write("play.json", String(decoding: try JSONEncoder().encode(play), as: UTF8.self))
      try testbed.write("agent.py", script)
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1))
      let command = "ForceCommand /usr/bin/env python3 \(testbed.folder)/agent.py \(testbed.folder)"
      try await PlayedJob.serving(testbed, extraConfiguration: [command]) { server in
        let proxy = try CuttingProxy(to: server.port, random: TrialReport.random(for: "played"))
        defer { proxy.stop() }
        try PlayedJob.trust(server, port: proxy.port, in: testbed)
        let machine = [
          "--machine", "ssh://\(server.user)@127.0.0.1:\(proxy.port)", "--identity", server.clientKey,
          "--known-hosts", testbed.folder + "/known",
        ]
        try await body(PlayedAgent(testbed: testbed, server: server, proxy: proxy, machine: machine))
      }
    }
  }

  /// The requests of this type, in order, each with the number of the session it came in.
  func asked(_ type: String) throws -> [[String: Any]] {
    guard let log = try? testbed.read("asked") else { return [] }  // nobody came yet
    return try log.split(separator: "\n").compactMap { line in
      let request = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return request?["type"] as? String == type ? request : nil
    }
  }

  /// Events as the journal's writer would seal them, without their newlines.
  static func lines(_ events: [JobEvent], chain: inout JournalChain, from first: Int = 1) throws -> [String] {
    try events.enumerated().map { index, event in
      let line = try NumberedEvent(number: first + index, time: Timestamp.rfc3339(), event: event).line()
      return String(decoding: chain.seal(line).dropLast(), as: UTF8.self)
    }
  }

  private static let script = #"""
    import json, os, re, sys, time
    folder = sys.argv[1]
    play = json.load(open(folder + "/play.json"))
    digest = re.search(r"agents/([0-9a-f]{64})/", os.environ.get("SSH_ORIGINAL_COMMAND", ""))
    held = None
    parent = os.getppid()

    def say(kind, **body):
        sys.stdout.write(json.dumps({"v": 1, "type": kind, "body": body}) + "\n")
        sys.stdout.flush()

    def note(request):
        with open(folder + "/asked", "a") as log:
            log.write(json.dumps({**request, "session": os.getpid(), "at": time.time()}) + "\n")

    def turn():
        path = folder + "/acts"
        count = int(open(path).read()) if os.path.exists(path) else 0
        open(path, "w").write(str(count + 1))
        return play["acts"][min(count, len(play["acts"]) - 1)]

    def attach(job, asked):
        act = turn()
        after = act.get("after", asked)
        say("attached", job=job, after=after)
        last = after
        for line in act["lines"]:
            number = int(re.match(r'\{"seq":(\d+)', line).group(1))
            if number > after:
                sys.stdout.write(line + "\n")
                last = number
        sys.stdout.flush()
        if act["ends"]:
            say("ended", job=job, reason="finished", last=last)
        elif not act["stays"]:
            sys.exit(0)

    while line := sys.stdin.readline():
        request = json.loads(line)
        kind, body = request["type"], request["body"]
        if kind != "ping":
            note(request)
        if kind == "hello":
            say("hello", protocolVersion=1, agentVersion=body["controllerVersion"], home=folder, user="u", host="h",
                sha256=digest.group(1) if digest else None, system="Linux", architecture=os.uname().machine,
                features=["jobs", "resume"])
        elif kind == "ping":
            say("pong", **body)
        elif kind == "jobs":
            say("jobs", jobs=play["jobs"])
        elif kind == "submit":
            held = body["manifest"]["id"]
            if not play["holdsSubmit"]:
                say("accepted", job=held, alreadyKnown=False)
        elif kind == "cancel":
            while play["holdsCancel"] and os.getppid() == parent and not os.path.exists(folder + "/go"):
                time.sleep(0.01)
            if play["holdsSubmit"] and held:
                say("accepted", job=held, alreadyKnown=False)
            say("cancelled", job=body["job"], wasRunning=True)
            open(folder + "/acts", "w").write("1000")
        elif kind == "attach":
            attach(body["job"], body["after"])
    """#
}
