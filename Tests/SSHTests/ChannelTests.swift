import Foundation
import LocalSSHD
import SSH
import Shared
import TestSupport
import Testing

@Suite("Commands over a channel", .programs)
struct ChannelTests {
  @Test("standard input, output, error and the exit status come through")
  func plain() async throws {
    try await Loopback.with { loopback in
      let connection = try await loopback.connect()
      let output = try await connection.run(
        "cat; echo word >&2; exit 7", input: Array("given".utf8), limit: .seconds(300))
      #expect(output.text == "given")
      #expect(output.errorText == "word\n")
      #expect(output.exit == .status(7))
      await connection.close()
    }
  }

  @Test("a session on this machine has the search path that it was given, whatever ~/.bashrc would make of it")
  func searchPath() async throws {
    try await Loopback.with(PrivateSSHDOptions(environment: ["PATH": "/given:/usr/bin:/bin"])) { loopback in
      let connection = try await loopback.connect()
      #expect(try await connection.run("echo $PATH", limit: .seconds(300)).text == "/given:/usr/bin:/bin\n")
      await connection.close()
    }
  }

  @Test("a command killed by a signal is told from one that exits")
  func signalled() async throws {
    try await Loopback.with { loopback in
      let connection = try await loopback.connect()
      #expect(try await connection.run("kill -TERM $$", limit: .seconds(300)).exit == .signal("TERM"))
      await connection.close()
    }
  }

  @Test("four channels carry megabytes in both directions at once, unmixed")
  func duplex() async throws {
    try await Loopback.with { loopback in
      let connection = try await loopback.connect()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for seed in UInt8(1)...4 {
          group.addTask {
            let channel = try await connection.exec("cat")
            let bytes = (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* Int(seed) &+ $0 >> 11) }
            async let received = channel.standardOutput.collect()
            for start in stride(from: 0, to: bytes.count, by: 100_000) {
              try await channel.send(Array(bytes[start..<min(start + 100_000, bytes.count)]))
            }
            await channel.finishInput()
            #expect(SHA256.hex(try await received) == SHA256.hex(bytes))
            #expect(try await channel.exit() == .status(0))
            await channel.close()
          }
        }
        try await group.waitForAll()
      }
      await connection.close()
    }
  }

  @Test("ten megabytes of error output, read after the output, stop nothing")
  func chattyError() async throws {
    try await Loopback.with { loopback in
      let connection = try await loopback.connect()
      let output = try await connection.run(
        "head -c 10000000 /dev/zero >&2; echo done", outputLimit: 12 << 20, limit: .seconds(300))
      #expect(output.standardError.count == 10_000_000)
      #expect(output.text == "done\n")
      await connection.close()
    }
  }

  @Test("an upload from a file arrives as it is")
  func upload() async throws {
    try await Loopback.with { loopback in
      let file = loopback.server.folder + "/upload"
      let bytes = (0..<(5 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
      try Data(bytes).write(to: URL(filePath: file))
      let connection = try await loopback.connect()
      let output = try await connection.run("sha256sum", inputFile: file, limit: .seconds(300))
      #expect(output.text.hasPrefix(SHA256.hex(bytes)))
      await connection.close()
    }
  }

  @Test("a reader that is cancelled stops waiting, and the connection goes on")
  func cancellation() async throws {
    try await Loopback.with { loopback in
      let connection = try await loopback.connect()
      let channel = try await connection.exec("echo up; exec cat")
      let stream = channel.standardOutput.makeAsyncIterator()
      #expect(try await stream.next() == Array("up\n".utf8))
      let reader = Task { try await channel.standardOutput.collect() }
      reader.cancel()
      await #expect(throws: (any Error).self) { try await reader.value }
      await channel.close()
      #expect(try await connection.run("echo fine", limit: .seconds(300)).text == "fine\n")
      await connection.close()
    }
  }

  @Test("a command that passes its limit is given up, and says so")
  func limit() async throws {
    try await Loopback.with { loopback in
      let connection = try await loopback.connect()
      let error = await #expect(throws: SSHError.self) {
        try await connection.run("sleep 4", limit: .milliseconds(300))
      }
      #expect(error?.what.contains("did not end within") == true)
      await connection.close()
    }
  }

  @Test("a session whose sshd is killed is lost, never a clean end")
  func killedServer() async throws {
    try await Loopback.with { loopback in
      let connection = try await loopback.connect()
      // Without the login shell's exec the parent of the shell is the session's sshd.
      let channel = try await connection.exec("echo $PPID; exec cat")
      let stream = channel.standardOutput.makeAsyncIterator()
      let said = String(decoding: try await stream.next() ?? [], as: UTF8.self)
      let pid = try #require(pid_t(said.trimmingCharacters(in: .whitespacesAndNewlines)))
      kill(pid, SIGKILL)
      await #expect(throws: SSHError.self) { try await channel.standardOutput.collect() }
      #expect(try await channel.exit() == .lost)
    }
  }

  @Test("a stopped sshd is noticed by our own clock")
  func stoppedServer() async throws {
    try await Loopback.with { loopback in
      let connection = try await loopback.connect(limits: SSHLimits(silence: .seconds(4)))
      let channel = try await connection.exec("echo $PPID; exec cat", expectsTraffic: true)
      let stream = channel.standardOutput.makeAsyncIterator()
      let said = String(decoding: try await stream.next() ?? [], as: UTF8.self)
      let pid = try #require(pid_t(said.trimmingCharacters(in: .whitespacesAndNewlines)))
      kill(pid, SIGSTOP)
      defer { kill(pid, SIGKILL) }
      let error = await #expect(throws: SSHError.self) { try await channel.standardOutput.collect() }
      #expect(error?.what.contains("silent") == true)
    }
  }
}
