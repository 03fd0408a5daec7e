import Glibc

/// Places as the kernel knows them.
enum CanonicalPath {
  /// Without symbolic links; what does not exist keeps its name in its folder.
  static func of(_ path: String) -> String {
    if let found = realpath(path, nil) {
      defer { free(found) }
      return String(cString: found)
    }
    let parts = path.split(separator: "/")
    guard let last = parts.last, path.hasPrefix("/") else { return path }
    let parent = of("/" + parts.dropLast().joined(separator: "/"))
    return parent == "/" ? "/\(last)" : "\(parent)/\(last)"
  }

  /// The names in a folder, without symbolic links; none for what is no folder or can't be read.
  static func entries(of path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != "..", Int32(entry.pointee.d_type) != Int32(DT_LNK) { names.append(name) }
    }
    return names
  }
}
