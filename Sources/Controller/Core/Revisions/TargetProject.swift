import Foundation
import Shared
import SystemPackage
import TOMLKit

/// The Python project that is measured, as far as its files tell.
struct TargetProject: Equatable {
  var package: String
  var module: String
  /// Commands that it installs, in alphabetical order.
  var scripts: [String] = []
  /// Whether it was found, or is a guess to be put right.
  var isKnown: Bool

  /// Reads `pyproject.toml` (packaging.python.org, "pyproject.toml specification"; Poetry's own table where it has no `[project]`).
  static func find(in folder: FilePath) -> TargetProject {
    let unknown = TargetProject(package: "codeflash", module: "codeflash", isKnown: false)
    // What can't be read or is no TOML tells nothing: it is a guess then, and said to be one.
    guard let bytes = FileManager.default.contents(atPath: folder.appending("pyproject.toml").string),
      let document = try? TOMLTable(string: String(decoding: bytes, as: UTF8.self))
    else { return unknown }
    let tables = [document["project"]?.table, document["tool"]?.table?["poetry"]?.table].compactMap(\.self)
    guard let table = tables.first(where: { $0["name"]?.string != nil }), let name = table["name"]?.string,
      name.wholeMatch(of: /[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?/) != nil
    else { return unknown }
    let scripts = (table["scripts"]?.table?.keys ?? []).filter {
      $0.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]*/) != nil
    }
    return TargetProject(
      package: name, module: module(of: name, in: folder, scripts: table["scripts"]?.table), scripts: scripts.sorted(),
      isKnown: true)
  }

  /// The module that is there under the distribution's name, else the one that a command starts.
  private static func module(of name: String, in folder: FilePath, scripts: TOMLTable?) -> String {
    let usual = name.lowercased().replacing(/[.-]/, with: "_")
    func isThere(_ module: String) -> Bool {
      ["src/\(module)", module, "src/\(module).py", "\(module).py"].contains {
        FileManager.default.fileExists(atPath: folder.appending($0).string)
      }
    }
    let started = (scripts?.keys ?? []).sorted().compactMap { scripts?[$0]?.string }
      .map { String($0.prefix { $0 != "." && $0 != ":" }) }.first(where: isThere)
    return isThere(usual) ? usual : started ?? usual
  }
}
