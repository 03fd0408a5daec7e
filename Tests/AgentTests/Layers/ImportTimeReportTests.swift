import Shared
import Testing

@testable import AgentCore

@Suite("Python's import trace, among what else stands on standard error")
struct ImportTimeReportTests {
  private static let header = "import time: self [us] | cumulative | imported package\n"

  private func names(_ text: String) -> [String] { names(Array(text.utf8)) }
  private func names(_ bytes: [UInt8]) -> [String] { ImportTimeReport.modules(in: bytes).map(\.name) }

  @Test("depth and times are read; the header and words of the program are not modules")
  func plain() {
    let text = Self.header + "import time:       120 |        120 |   a.b\nwarning: x\nimport time:  10 |  130 | a\n"
    #expect(
      ImportTimeReport.modules(in: Array(text.utf8)) == [
        ImportedModule(name: "a.b", depth: 1, selfMicroseconds: 120, cumulativeMicroseconds: 120),
        ImportedModule(name: "a", depth: 0, selfMicroseconds: 10, cumulativeMicroseconds: 130),
      ])
    #expect(ImportTimeReport.otherLines(in: Array(text.utf8)) == ["warning: x"])
  }

  @Test("ends of lines of another system, lines that begin behind another's words, and torn ones")
  func mixed() {
    #expect(names("import time: 1 | 1 | a\r\nimport time: 2 | 3 | b\r\n") == ["a", "b"])
    #expect(names("50 % done\rimport time: 1 | 1 | a\nloading … import time: 1 | 1 |   b\n") == ["a", "b"])
    // Two processes wrote at once: what can be told of the line is its last part.
    #expect(names("import time: 1 | import time: 2 | 2 | b\nimport time: 7 |\nimport time: x | 1 | c\n") == ["b"])
    #expect(names("") == [] && names("import time:") == [] && names("import time: 1 | 1 | ") == [])
  }

  @Test("a name that is no UTF-8 stays a module, and each process has a header of its own")
  func bytes() {
    let name: [UInt8] = [0x6d, 0xff, 0x64]
    let found = names(Array("import time: 1 | 1 | ".utf8) + name + [0x0a] + Array("import time: 1 | 1 | z\n".utf8))
    #expect(found == ["m\u{fffd}d", "z"])
    #expect(names(Self.header + "import time: 1 | 1 | a\n" + Self.header + "import time: 1 | 1 | a\n") == ["a", "a"])
  }
}
