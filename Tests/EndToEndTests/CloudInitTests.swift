import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

@Suite("cloud-init.yaml: its files are sound, and only root reaches the VM's identity", .programs)
struct CloudInitTests {
  private struct Answer {
    var succeeded: Bool
    var output: String
  }

  private func run(_ program: String, _ arguments: [String]) async throws -> Answer {
    let result = try await Subprocess.run(
      program.hasPrefix("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
      output: .string(limit: 1 << 20), error: .combinedWithOutput)
    return Answer(succeeded: result.terminationStatus.isSuccess, output: result.standardOutput)
  }

  private static let programs = "usr/local/lib/cf-bench"

  @Test("Azure takes it as it is: a cloud-config of less than 64 KiB, with nothing to fill in")
  func customData() throws {
    let text = try String(contentsOfFile: Testbed.packageRoot + "/cloud-init.yaml", encoding: .utf8)
    #expect(text.hasPrefix("#cloud-config\n"))
    #expect(text.utf8.count <= 60 << 10)
    #expect(text.contains("runcmd:\n  - [/usr/local/lib/cf-bench/provision]\n"))
    #expect(!text.contains("latest"), "an address that moves can't be pinned")
  }

  @Test("the committed file is what vm/ makes")
  func generated() async throws {
    let checked = try await run(Testbed.packageRoot + "/scripts/build-cloud-init.py", ["--check"])
    #expect(checked.succeeded, "\(checked.output)")
  }

  @Test("every script is executable where it has to be")
  func scripts() async throws {
    try await withTemporaryFolder { folder in
      try CloudInitFiles.write(into: folder)
      let steps = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(Self.programs)/steps").sorted()
      #expect(steps.first == "10-watchdog" && steps.last == "99-finish")
      let names = ["watchdog", "provision"] + steps.map { "steps/" + $0 }
      let programs = names.map { "\(folder)/\(Self.programs)/\($0)" }
      for program in programs { #expect(FileManager.default.isExecutableFile(atPath: program), "\(program)") }
    }
  }

  @Test("the units are valid, and the watchdog's may do what it has to")
  func units() async throws {
    try await withTemporaryFolder { folder in
      try CloudInitFiles.write(into: folder)
      let units = folder + "/etc/systemd/system"
      let names = try FileManager.default.contentsOfDirectory(atPath: units).sorted()
      #expect(names == ["cf-bench-guard.service", "cf-bench-watchdog.service", "cf-bench-watchdog.timer"])
      for name in names {
        // The programs lie below the folder here.
        let text = try String(contentsOfFile: "\(units)/\(name)", encoding: .utf8)
          .replacing("=/usr/local/lib/", with: "=\(folder)/usr/local/lib/")
        try Data(text.utf8).write(to: URL(filePath: "\(units)/\(name)"))
      }
      let verified = try await run("systemd-analyze", ["verify", "--man=no"] + names.map { "\(units)/\($0)" })
      #expect(verified.succeeded && verified.output.isEmpty, "\(verified.output)")
    }
  }

  @Test(
    "an ordinary user is refused what root gets, and names stay open to all",
    .enabled(if: geteuid() == 0, "a network of its own needs root"))
  func guarded() async throws {
    try await withTemporaryFolder { folder in
      try CloudInitFiles.write(into: folder)
      let tried = try await run("unshare", ["--net", Testbed.packageRoot + "/Tests/CloudInit/guard.sh", folder])
      #expect(tried.succeeded, "\(tried.output)")
      let parts = tried.output.components(separatedBy: "with the guard, 1 chain\n")
      try #require(parts.count == 2, "\(tried.output)")
      // Without it, everybody has the identity: what is seen after is the guard's doing.
      #expect(parts[0].components(separatedBy: "curl 0, token").count == 9, "\(parts[0])")
      #expect(
        parts[1] == """
          root 169.254.169.254:80: curl 0, token
          root 168.63.129.16:80: curl 0, token
          root 168.63.129.16:32526: curl 0, token
          root 168.63.129.16:53: curl 0, token
          65534 169.254.169.254:80: curl 7, nothing
          65534 168.63.129.16:80: curl 7, nothing
          65534 168.63.129.16:32526: curl 7, nothing
          65534 168.63.129.16:53: curl 0, token

          """)
    }
  }

  @Test("a step that fails is named with its last words; provisioning ends with an error and leaves no marker")
  func failingStep() async throws {
    try await withTemporaryFolder { folder in
      try CloudInitFiles.write(into: folder)
      let programs = "\(folder)/\(Self.programs)"
      // The runner as it is, with its places below the folder and steps of the test's.
      for name in ["provision", "common"] {
        let text = try String(contentsOfFile: "\(programs)/\(name)", encoding: .utf8)
          .replacing("/usr/local/lib/cf-bench", with: programs).replacing("/var/log/cf-bench", with: folder + "/log")
          .replacing(":=/var/lib/cf-bench}", with: ":=\(folder)/state}")
          .replacing("/run/cf-bench", with: folder + "/run").replacing("((EUID != 0))", with: "false")
        try placeProgram(text, at: "\(programs)/\(name)")
      }
      for step in try FileManager.default.contentsOfDirectory(atPath: programs + "/steps") {
        try FileManager.default.removeItem(atPath: "\(programs)/steps/\(step)")
      }
      func write(_ step: String, _ text: String) throws {
        try placeProgram("#!/bin/bash\nsource \(programs)/common\n\(text)\n", at: "\(programs)/steps/\(step)")
      }
      try write("10-first", "say first >>'\(folder)/ran'")
      try write("20-second", "say 'a \"quoted\" word'; fail 'it broke' 'no reason' 'none'")
      try write("30-third", "touch \"$CF_BENCH_STATE/provisioned.json\"")
      let failed = try await run(programs + "/provision", [])
      #expect(!failed.succeeded)
      #expect(failed.output.contains("provisioning failed in step 20-second (status 1)"), "\(failed.output)")
      struct Failure: Decodable, Equatable {
        var schema: Int
        var step: String
        var words: String
      }
      let said = try JSONDecoder().decode(
        Failure.self, from: Data(contentsOf: URL(filePath: folder + "/state/failed.json")))
      let words = "a \"quoted\" word\nerror: it broke\n  why: no reason\n  fix: none"
      #expect(said == Failure(schema: 1, step: "20-second", words: words))
      #expect(!FileManager.default.fileExists(atPath: folder + "/state/provisioned.json"))

      try write("20-second", "say mended")
      let again = try await run(programs + "/provision", [])
      #expect(again.succeeded, "\(again.output)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/state/failed.json"))
      #expect(FileManager.default.fileExists(atPath: folder + "/state/provisioned.json"))
      #expect(try String(contentsOfFile: folder + "/ran", encoding: .utf8) == "first\nfirst\n")
    }
  }
}
