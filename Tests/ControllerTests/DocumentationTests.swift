import Foundation
import Shared
import Testing

@testable import ControllerCore

@Suite("Documentation: pages agree with the code and with each other")
struct DocumentationTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The pages that people read: those at the top and below `docs/`.
  private static func pages() throws -> [URL] {
    try ["", "docs", "docs/decisions"].map { root.appending(path: $0) }.flatMap {
      try FileManager.default.contentsOfDirectory(at: $0, includingPropertiesForKeys: nil)
    }.filter { $0.pathExtension == "md" }
  }

  @Test("every relative link leads to a file or a heading that exists")
  func links() throws {
    var count = 0
    for page in try Self.pages() {
      for link in try String(contentsOf: page, encoding: .utf8).matches(of: /\]\(([^)\s]+)\)/).map({ String($0.1) })
      where !link.contains("://") && !link.hasPrefix("mailto:") {
        count += 1
        let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let target = parts[0].isEmpty ? page : page.deletingLastPathComponent().appending(path: parts[0])
        #expect(FileManager.default.fileExists(atPath: target.path), "\(page.lastPathComponent): \(link)")
        guard parts.count == 2, target.pathExtension == "md" else { continue }
        #expect(try Self.anchors(of: target).contains(parts[1]), "\(page.lastPathComponent): \(link)")
      }
    }
    #expect(count > 0)
  }

  /// Headings as GitHub makes anchors of them: lower case, spaces to dashes, punctuation left out.
  private static func anchors(of page: URL) throws -> [String] {
    try String(contentsOf: page, encoding: .utf8).matches(of: /(?m)^#+ +(.+)$/).map { heading in
      String(
        heading.1.lowercased().compactMap { character in
          character == " "
            ? "-" : character.isLetter || character.isNumber || "-_".contains(character) ? character : nil
        })
    }
  }

  @Test("every path of this repository that a page names exists")
  func paths() throws {
    var count = 0
    for page in try Self.pages() {
      let text = try String(contentsOf: page, encoding: .utf8)
      for path in text.matches(of: /`((?:Sources|Tests|vm|scripts|docs|fixtures|bench|reap)\/[^`\s*…]*)`/) {
        count += 1
        #expect(Self.exists(path.1), "\(page.lastPathComponent) names \(path.1)")
      }
    }
    #expect(count > 50)
  }

  @Test("each row of \"Where do I change X\" names a folder that exists, and files in it")
  func whereToChange() throws {
    let page = try String(contentsOf: Self.root.appending(path: "docs/architecture.md"), encoding: .utf8)
    let section = try #require(page.firstMatch(of: #/(?s)## Where do I change X\n(.*?)\n## /#)).1
    let rows = section.split(separator: "\n").filter { $0.hasPrefix("| ") && !$0.hasPrefix("| **") }.dropFirst()
    #expect(rows.count > 30)
    for row in rows {
      let cells = try #require(row.wholeMatch(of: #/\| ([^|]+) \| `([^`|]+)` \| ([^|]+) \|/#), "\(row)")
      #expect(Self.exists(cells.2), "\(cells.1): \(cells.2)")
      // A name without a slash is a file of the folder; whole paths are the test above's.
      for name in cells.3.matches(of: /`([\w+-]+\.(?:swift|ya?ml|json|py))`/) {
        #expect(Self.exists("\(cells.2)/\(name.1)"), "\(cells.1): \(cells.2)/\(name.1)")
      }
    }
  }

  @Test("each row of make faults names tests that exist")
  func faultRows() throws {
    let script = try String(contentsOf: Self.root.appending(path: "scripts/faults.py"), encoding: .utf8)
    let folder = Self.root.appending(path: "Tests")
    let declarations = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".swift") }
      .flatMap { try String(contentsOf: folder.appending(path: $0), encoding: .utf8).split(separator: "\n") }
      .filter { $0.contains("struct ") || $0.contains("func ") }
    let rows = script.matches(of: #/(?m)^    \("([^"]+)", "([\w.|]+)", \d+/#)
    #expect(rows.count > 10)
    for row in rows {
      for test in row.2.split(separator: "|") {
        let name = test.split(separator: ".").last ?? ""
        #expect(declarations.contains { $0.contains(name) }, "\(row.1): \(test)")
      }
    }
  }

  private static func exists(_ path: some StringProtocol) -> Bool {
    FileManager.default.fileExists(atPath: root.appending(path: String(path)).path)
  }

  @Test("the page on exit codes has a row for every code, and no other")
  func exitCodes() throws {
    let page = try String(contentsOf: Self.root.appending(path: "docs/exit-codes.md"), encoding: .utf8)
    let codes = page.matches(of: /(?m)^\| *(\d+) *\|/).compactMap { Int32($0.1) }
    #expect(codes == codes.sorted() && Set(codes).count == codes.count)
    #expect(codes.allSatisfy { ExitStatus(rawValue: $0) != nil })
    #expect((Int32(0)...255).filter { ExitStatus(rawValue: $0) != nil } == codes)
  }

  @Test("the page on variables lists those of the table, and no page or source names another")
  func variables() throws {
    let page = try String(contentsOf: Self.root.appending(path: "docs/variables.md"), encoding: .utf8)
    #expect(page.matches(of: /(?m)^\| `(CF_BENCH_\w+)` \|/).map { String($0.1) } == ProgramVariable.all.map(\.name))
    #expect(ProgramVariable.names.count == ProgramVariable.all.count)
    let settings = Set(SettingKey.all.map(\.variable))
    #expect(settings.isDisjoint(with: ProgramVariable.names))
    var count = 0
    for folder in ["docs", "Sources", "README.md", "CONTRIBUTING.md", "action.yml", "cloud-init.yaml", "scripts"] {
      let start = Self.root.appending(path: folder)
      let below =
        FileManager.default.enumerator(at: start, includingPropertiesForKeys: [.isRegularFileKey])?
        .compactMap { $0 as? URL } ?? []
      for file in [start] + below where try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true {
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { continue }  // a picture
        for name in text.matches(of: /CF_BENCH_[A-Z0-9_]*[A-Z0-9]/).map({ String($0.0) })
        where !name.hasSuffix("_H") && name != "CF_BENCH_CI" {
          count += 1
          #expect(settings.contains(name) || ProgramVariable.isKnown(name), "\(file.lastPathComponent): \(name)")
        }
      }
    }
    #expect(count > 100)
  }
}
