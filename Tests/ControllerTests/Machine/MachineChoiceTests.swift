import Foundation
import Shared
import SystemPackage
import TestSupport
import Testing

@testable import Azure
@testable import ControllerCore

@Suite("Where nobody names a machine, what is known here decides, and that is said")
struct MachineChoiceTests {
  private func settled(
    _ flags: [(key: String, flag: String, text: String)] = [], _ environment: [String: String]
  ) throws -> (choice: MachineChoice, guessed: String?) {
    let settings = try Settings.load(flags: flags, environment: [:], folder: "/", configuration: nil)
    let found = try MachineChoice.settled(settings, environment: environment)
    return (found.0, found.guessed)
  }

  @Test("a VM that was made from here or that the settings speak of, else this machine; a name counts over both")
  func known() async throws {
    try await TestSupport.withTemporaryFolder { folder in
      var environment = ["CF_BENCH_STATE": folder, "HOME": folder]
      var found = try settled([], environment)
      #expect(found.choice == .local && found.guessed?.hasPrefix("measuring on this machine: no VM") == true)
      found = try settled([("azure.vm", "--set", "mine")], environment)
      #expect(found.choice == .azure && found.guessed?.contains("the settings speak of it") == true)
      let vm = try Settings.load(flags: [], environment: [:], folder: "/", configuration: nil).azure.machine
      try FileManager.default.createDirectory(
        atPath: StateFolder(environment: environment).keys(of: vm), withIntermediateDirectories: true)
      found = try settled([], environment)
      #expect(found.choice == .azure && found.guessed?.contains("made from here") == true)
      found = try settled([("machine", "--machine", "local")], environment)
      #expect(found.choice == .local && found.guessed == nil)
      environment["CF_BENCH_STATE"] = folder + "/other"
      environment["CI"] = "true"
      #expect(try settled([], environment).guessed == nil)
    }
  }
}
