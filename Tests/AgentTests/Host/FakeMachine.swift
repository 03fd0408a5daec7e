import Foundation

@testable import AgentCore

/// A folder that holds copies of the kernel's files.
struct FakeMachine {
  let root: String

  func put(_ text: String, at path: String) throws {
    let url = URL(filePath: root + path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  var files: MachineFiles { MachineFiles(root: root) }
}
