import Foundation
import Shared
import SystemPackage

/// The project that layers 3 and 4 run codeflash on.
enum ProjectFolder {
  static let builtIn = "fixtures/depot"
  private static let mark = "opportunities.json"

  /// The folder that the settings name, or the built-in project.
  static func find(_ settings: Settings) throws -> String {
    if let named = settings.optimizeProject?.string {
      guard FileManager.default.fileExists(atPath: "\(named)/\(mark)") else {
        throw Problem(
          what: "'\(named)' is not a project for codeflash", why: "there is no \(mark) in it",
          fix: "docs/replay.md says what a project needs; without --set optimize.project the built-in one is taken",
          exitStatus: .usage)
      }
      return named
    }
    let found = InstalledFiles.places(of: builtIn).first {
      FileManager.default.fileExists(atPath: "\($0)/\(mark)")
    }
    if let found { return found }
    throw Problem(
      what: "the built-in project for codeflash is missing",
      why: "there is no \(builtIn) beside \(AgentBinary.ownFolder) or above it",
      fix: "keep the folder 'fixtures' beside cf-bench, name one with --set optimize.project=FOLDER, or leave the "
        + "layers out: --layers startup,micro", exitStatus: .usage)
  }
}
