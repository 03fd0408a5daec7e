import ControllerCore
import Foundation
import Shared

/// The package `fixtures/spinner`, whose command does an amount of work that one constant gives.
struct SpinnerPackage {
  private static let place = "fixtures/spinner"
  private static let module = "src/spinner/__init__.py"

  var folder: String

  /// In the checkout that this program was built in.
  static func find() throws -> SpinnerPackage {
    var folder = URL(filePath: LoopbackBench.programs)
    for _ in 0..<6 {
      let candidate = folder.appending(path: place).path
      if FileManager.default.fileExists(atPath: "\(candidate)/\(module)") { return SpinnerPackage(folder: candidate) }
      folder.deleteLastPathComponent()
    }
    throw Problem(
      what: "the package that is measured is missing", why: "there is no \(place) in or above the folder of bench-lab",
      fix: "run it from the checkout, or leave that part out: --simulated-only", exitStatus: .usage)
  }

  /// Writes a copy that does so many times its work: 1.05 for 5 % more.
  func copy(to target: String, times factor: Double) throws {
    try FileManager.default.copyItem(atPath: folder, toPath: target)
    let file = URL(filePath: "\(target)/\(Self.module)")
    let text = try String(contentsOf: file, encoding: .utf8)
    guard let line = text.firstMatch(of: /(?m)^WORK = ([0-9_]+)$/),
      let work = Double(line.1.filter(\.isNumber))
    else {
      throw Problem(
        what: "\(file.path) has no line 'WORK = number'", fix: "take the file as it is in the repository",
        exitStatus: .usage)
    }
    let more = Int((work * factor).rounded())
    try Data(text.replacingCharacters(in: line.range, with: "WORK = \(more)").utf8).write(to: file)
  }
}
