import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("Memory of processes and of process trees", .programs)
struct MemoryTests {
  private let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]

  @Test("the peak of one process is its own, and not the agent's")
  func peakOfOne() throws {
    func peak(_ code: String) throws -> Int {
      let testbed = try SideTestbed()
      let measured = try PeakRSSProbe.measure(
        ["/usr/bin/env", "python3", "-c", code], environment: environment, directory: "/", limitSeconds: 300,
        report: testbed.folder + "/peak", agent: testbed.agent)
      try #require(measured.outcome.succeeded)
      return try #require(measured.bytes)
    }
    // The test program holds more than a small child: what it holds must not be counted.
    let ballast = [UInt8](repeating: 1, count: 96 << 20)
    let small = try peak("pass")
    let large = try peak("kept = bytearray(b'x') * (64 << 20)")
    #expect(ballast.last == 1)
    #expect(abs(Double(large - small) / Double(64 << 20) - 1) < 0.05, "\(small) \(large)")
  }

  @Test("the sampler sees a whole tree, within 5 % of a second one of another make")
  func tree() throws {
    let testbed = try SideTestbed()
    try testbed.write(
      "tree.py",
      """
      import os, sys, time
      kept = bytearray(b"x") * (24 << 20)
      ready = []
      for _ in range(3):
          read, write = os.pipe()
          if os.fork() == 0:
              more = bytearray(b"y") * (32 << 20)
              os.write(write, b"!")
              sys.stdin.read()
              os._exit(0)
          ready.append(read)
      for read in ready:
          os.read(read, 1)
      print("full", flush=True)
      sys.stdin.read()
      """)
    // Reads the same processes in its own way: mapping by mapping instead of by the kernel's sum.
    try testbed.write(
      "second.py",
      """
      import re, subprocess, sys
      root = int(sys.argv[1])
      pids = [root] + [int(pid) for pid in subprocess.run(["pgrep", "-P", str(root)], capture_output=True).stdout.split()]
      total = 0
      for pid in pids:
          text = open(f"/proc/{pid}/smaps").read()
          total += sum(int(size) for size in re.findall(r"^Pss:\\s+(\\d+) kB", text, re.M))
      print(len(pids), total * 1024)
      """)
    let helper = try HelperProcess(
      ChildProcess(
        program: "python3", arguments: [testbed.folder + "/tree.py"], environment: environment, directory: "/",
        limitSeconds: 300), input: [])
    #expect(helper.line(within: 60) == Array("full".utf8))
    var sampler = TreeSampler()
    sampler.look(at: helper.pid)
    let other = try testbed.run("python3", testbed.folder + "/second.py", "\(helper.pid)").split(separator: " ")
    _ = helper.finish(within: 10)
    let second = try #require(other.last.flatMap { Double($0) })
    #expect(other.first == "4" && sampler.memory.processes == 4)
    #expect(abs(Double(sampler.memory.peakPSSBytes) / second - 1) < 0.05, "\(sampler.memory) \(second)")
    // Three children with 32 MiB each and the parent's 24 MiB, which they share with it.
    #expect(sampler.memory.peakPSSBytes > 120 << 20 && sampler.memory.peakRSSBytes > sampler.memory.peakPSSBytes)
  }

  @Test("thinning a timeline keeps its peak")
  func thinning() throws {
    // Not this process: tests beside this one make its memory go up and down.
    let helper = try HelperProcess(
      ChildProcess(words: ["/bin/sh", "-c", "echo; read line"], environment: [:], directory: "/", limitSeconds: 300),
      input: [])
    #expect(helper.line(within: 30) == [])
    var sampler = TreeSampler()
    for _ in 0..<200 { sampler.look(at: helper.pid) }
    #expect(sampler.memory.looks == 200 && sampler.points.count > 10)
    let thin = sampler.thinned(to: 10)
    #expect(thin.count == 10 && thin.map(\.pssBytes).max() == sampler.memory.peakPSSBytes)
    #expect(sampler.thinned(to: 1000) == sampler.points)
  }

  @Test("in a private network nothing but the loopback is there, and a second program can join it")
  func privateNetwork() throws {
    let agent = try BuiltProduct.path("cf-bench-agent")
    try #require(PrivateNetwork.isPermitted(agent: agent), "the machine permits no private network")
    let code = """
      import socket, sys
      server = socket.create_server(("127.0.0.1", 0))
      try:
          socket.create_connection(("192.0.2.1", 80), timeout=5)
      except OSError as error:
          print(error.errno, server.getsockname()[1], flush=True)
      server.accept()
      sys.stdin.read()
      """
    let words = PrivateNetwork.words(["/usr/bin/python3", "-c", code], agent: agent)
    let first = try HelperProcess(
      ChildProcess(
        program: words[0], arguments: Array(words.dropFirst()), environment: environment, directory: "/",
        limitSeconds: 300), input: [])
    let line = try #require(first.line(within: 30)).split(separator: UInt8(ascii: " "))
    #expect(String(decoding: line[0], as: UTF8.self) == "\(ENETUNREACH)")
    let port = String(decoding: line[1], as: UTF8.self)
    func connect(joining: pid_t?) throws -> ChildProcess.Outcome {
      let program = [
        "/usr/bin/python3", "-c", "import socket; socket.create_connection(('127.0.0.1', \(port)), timeout=5)",
      ]
      let words = joining.map { PrivateNetwork.words(program, joining: $0, agent: agent) } ?? program
      return try ChildProcess(
        program: words[0], arguments: Array(words.dropFirst()), environment: environment, directory: "/",
        limitSeconds: 300
      ).run()
    }
    #expect(try !connect(joining: nil).succeeded)
    #expect(try connect(joining: first.pid).succeeded)
  }

  @Test("joining a process that is gone is an error in words")
  func joinNothing() throws {
    let agent = try BuiltProduct.path("cf-bench-agent")
    let outcome = try ChildProcess(
      program: agent, arguments: ["offline", "--join", "2147483646", "--", "/bin/true"], environment: environment,
      directory: "/", limitSeconds: 300
    ).run()
    #expect(outcome.end == .exited(3) && outcome.errorText.contains("private network"), "\(outcome.errorText)")
  }
}
