import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("The built-in project and its recordings", .programs)
struct ProjectTests {
  private let folder = SideTestbed.packageRoot + "/fixtures/depot"

  @Test("has the opportunities, traps and controls that it promises, each with a recording")
  func list() throws {
    let list = try OpportunityList.read(folder + "/opportunities.json")
    func count(_ kind: String) -> Int { list.functions.count { $0.kind.rawValue == kind } }
    #expect(count("opportunity") >= 8 && count("trap") == 2 && count("control") == 2)
    let kinds = Set(list.functions.filter { $0.kind == .opportunity }.map(\.fix))
    #expect(kinds.count >= 7, "\(kinds)")
    for function in list.functions {
      let recording = "\(folder)/recordings/\(function.module).\(function.name).json"
      #expect(FileManager.default.fileExists(atPath: recording), "\(function.function)")
      #expect(FileManager.default.fileExists(atPath: "\(folder)/\(function.file)"), "\(function.function)")
    }
  }

  @Test("the recordings are those that their author's script writes")
  func recordings() throws {
    let testbed = try SideTestbed()
    try testbed.run("python3", SideTestbed.packageRoot + "/fixtures/author_recordings.py", "--check")
  }
}
