import Foundation
import Testing
import Tools

@testable import Azure

@Suite("What is made of a VM is planned before it is made")
struct ProvisionPlanTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private static func cloudInit() throws -> String {
    try String(contentsOf: root.appending(path: "cloud-init.yaml"), encoding: .utf8)
  }

  @Test("without limits of its own, custom data is the file itself, byte for byte")
  func plain() throws {
    let file = try Self.cloudInit()
    #expect(try CustomData(cloudConfig: file, source: "x", limits: .builtIn).text == file)
  }

  @Test("the built-in limits are those that the VM's watchdog takes without being told")
  func builtIn() throws {
    let file = try Self.cloudInit()
    for line in WatchdogLimits.builtIn.lines { #expect(file.contains("#" + line), "\(line)") }
  }

  @Test("limits travel as a part of their own, which is merged and takes nobody's place")
  func parts() throws {
    let file = try Self.cloudInit()
    let limits = WatchdogLimits(idle: .seconds(1800), hard: .seconds(7200))
    let data = try CustomData(cloudConfig: file, source: "x", limits: limits)
    let boundary = try #require(data.text.firstMatch(of: /boundary="([^"]+)"/)).output.1
    #expect(!file.contains(boundary))
    let parts = data.text.split(separator: "--\(boundary)", omittingEmptySubsequences: false)
    #expect(parts.count == 4)
    #expect(parts[1].hasSuffix("\n\n\(file)\n"))
    #expect(parts[2].contains("merge_how: list(append)"))
    #expect(parts[2].contains("      CF_BENCH_IDLE_SECONDS=1800\n      CF_BENCH_HARD_SECONDS=7200\n"))
    #expect(data.digest != (try CustomData(cloudConfig: file, source: "x", limits: .builtIn)).digest)
  }

  @Test("what Azure or cloud-init would not take is refused here")
  func refused() {
    let long = "#cloud-config\n" + String(repeating: "#", count: 65_535 - 14)
    #expect(throws: Never.self) { try CustomData(cloudConfig: long, source: "x", limits: .builtIn) }
    #expect(throws: (any Error).self) { try CustomData(cloudConfig: long + "#", source: "x", limits: .builtIn) }
    #expect(throws: (any Error).self) { try CustomData(cloudConfig: "#!/bin/sh\n", source: "x", limits: .builtIn) }
  }

  @Test("a role that az does not find yet is waited for, and other words of az are not")
  func late() {
    func isLate(_ words: String) -> Bool {
      StepRunner.isLate(AzureError(ChildTool.Output(.status(1), error: words), during: "role"))
    }
    #expect(isLate("ERROR: Role 'cf-bench deallocate cf-bench' doesn't exist."))
    #expect(isLate("ERROR: (PrincipalNotFound) Principal x does not exist\nCode: PrincipalNotFound\nMessage: x"))
    #expect(!isLate("ERROR: The subscription of 'X' doesn't exist in cloud 'AzureCloud'."))
    #expect(!isLate("ERROR: (AuthorizationFailed) no\nCode: AuthorizationFailed\nMessage: no"))
  }
}
