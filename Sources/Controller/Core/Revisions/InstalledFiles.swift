import Foundation

/// What comes with the programs: beside them in a release's folder, below `share/cf-bench` where `make install` and packages put it, or in the
/// checkout that they were built in.
enum InstalledFiles {
  /// The places of a file or folder, nearest first.
  static func places(of name: String) -> [String] {
    let own = AgentBinary.ownFolder
    var places = ["\(own)/\(name)", "\(own)/../share/cf-bench/\(name)"]
    var folder = URL(filePath: own)
    for _ in 0..<5 where folder.path != "/" {
      folder.deleteLastPathComponent()
      places.append((folder.path == "/" ? "" : folder.path) + "/" + name)
    }
    return places
  }
}
