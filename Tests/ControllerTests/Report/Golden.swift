import Foundation
import Testing

/// Compares words people read with the reviewed text in `Goldens/`.
///
/// After a wanted change: `CF_BENCH_WRITE_GOLDENS=1 swift test --filter Golden`, then read the diff like code.
enum Golden {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Goldens")

  static func check(_ text: String, is name: String, at location: SourceLocation = #_sourceLocation) throws {
    let file = folder.appending(path: name)
    if ProcessInfo.processInfo.environment["CF_BENCH_WRITE_GOLDENS"] == "1" {
      try Data(text.utf8).write(to: file)
      Issue.record("wrote \(name): read it, then run the test without CF_BENCH_WRITE_GOLDENS", sourceLocation: location)
      return
    }
    let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    guard text != expected else { return }
    let differing = zip(
      text.split(separator: "\n", omittingEmptySubsequences: false) + ["<end>"],
      expected.split(separator: "\n", omittingEmptySubsequences: false) + ["<end>"]
    ).first { $0 != $1 }
    Issue.record(
      "\(name) differs, first at:\n  now:    \(differing?.0 ?? "")\n  golden: \(differing?.1 ?? "")",
      sourceLocation: location)
  }
}
