import FoundationEssentials

extension FileManager {
  /// Removes a file or folder; does nothing where there is none.
  func removeIfThere(_ path: String) throws {
    if fileExists(atPath: path) { try removeItem(atPath: path) }
  }

  /// Makes an empty folder, in place of what stands there.
  func makeFresh(_ path: String) throws {
    try removeIfThere(path)
    try createDirectory(atPath: path, withIntermediateDirectories: true)
  }
}
