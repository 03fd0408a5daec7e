import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("The stand-in for codeflash's service", .programs)
struct ReplayServiceTests {
  private static let function = "shop.cart:total"

  @Test("each run gets the recorded answers in turn, and the last one again when it asks for more")
  func turns() throws {
    let testbed = try SideTestbed()
    let context = try testbed.context(try testbed.sides(SmallPackage()))
    try #require(PrivateNetwork.isPermitted(agent: testbed.agent), "the machine permits no private network")
    let service = try ReplayService(
      CodeflashRunPlan(project: try testbed.upload(testbed.folder + "/package0.tar.gz"), loopingSeconds: 1),
      project: try project(in: testbed), keepsRecordings: false, folder: testbed.scratch, in: context)
    try testbed.write(
      "client.py",
      """
      import json, os, sys, urllib.request

      def ask(endpoint, body):
          request = urllib.request.Request(
              "http://127.0.0.1:8000" + endpoint, json.dumps(body).encode(),
              {"Authorization": "Bearer " + os.environ["CODEFLASH_API_KEY"], "Content-Type": "application/json"})
          with urllib.request.urlopen(request, timeout=10) as answer:
              return json.load(answer)

      for trace in "a" * 36, "b" * 36:
          about = {"function_name": "total", "parents": []}
          ask("/ai/testgen", {"trace_id": trace, "module_path": "shop.cart", "test_index": 0, "function_to_optimize": about})
          # Asked in a list, and in a list whose entries carry no trace of their own.
          for entry in [{"optimization_id": "1", "trace_id": trace}] * 2 + [{"optimization_id": "1"}]:
              print(trace[0], ask("/ai/refinement", [entry])["refinements"][0]["optimization_id"])
      """)
    let interpreter = try #require(context.sides.first?.interpreter)
    let outcome = try ChildProcess(
      words: service.words([interpreter, "-I", testbed.folder + "/client.py"]),
      environment: service.environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }, directory: testbed.folder,
      limitSeconds: 300
    ).run()
    #expect(outcome.outputText == "a 1\na 2\na 2\nb 1\nb 2\nb 2\n", "\(outcome.outputText) \(outcome.errorText)")
    let log = service.takeLog()
    #expect(log.requests.count == 8 && log.unreadable == 0)
    #expect(log.requests.allSatisfy { $0.function == Self.function && $0.status == 200 })
    #expect(try service.finish().isEmpty)
  }

  private func project(in testbed: SideTestbed) throws -> Project {
    func refinement(_ id: String) -> String {
      #"{"endpoint": "/ai/refinement", "body": {"refinements": [{"optimization_id": "\#(id)"}]}}"#
    }
    try testbed.write(
      "project/recordings/shop.cart.total.json",
      """
      {"schema": 1, "function": "\(Self.function)", "answers": [
        {"endpoint": "/ai/testgen", "test_index": 0, "body": {}}, \(refinement("1")), \(refinement("2"))
      ]}
      """)
    return Project(
      folder: testbed.folder + "/project",
      list: OpportunityList(schema: 1, name: "shop", quick: Self.function, functions: []))
  }

  @Test("lines of the log that can't be read are counted, and each run starts a new log")
  func unreadable() throws {
    let testbed = try SideTestbed()
    let line = #"{"start": 1, "end": 2, "method": "GET", "endpoint": "/x", "status": 200}"#
    try testbed.write("log", "\(line)\n{\"start\": 3, \"en\n\(line)\n")
    let log = RequestLog.take(from: testbed.folder + "/log")
    #expect(log.requests.count == 2 && log.unreadable == 1)
    #expect(log.since(5).requests.isEmpty && log.since(5).unreadable == 1)
    #expect(RequestLog.take(from: testbed.folder + "/log") == RequestLog(requests: []))
  }

  @Test("a key is one word that a header can carry; a line's end that came along is not part of it")
  func keys() throws {
    var manifest = try Manifests.sleeping(name: "keys", blocks: 1)
    manifest.secrets = ["CODEFLASH_API_KEY"]
    func taken(_ value: String) throws -> String? {
      try Secrets.admitted(["CODEFLASH_API_KEY": value], environment: [:], for: manifest)["CODEFLASH_API_KEY"]
    }
    #expect(try taken(" cf-1\r\n") == "cf-1")
    for bad in ["", " \n", "cf 1", "cf-1\ncf-2", "cf-\u{e9}"] { #expect(try taken(bad) == nil, "\(bad)") }
  }
}
