/// Which places may be read or written, as a tree in which the nearest word above a place holds for it.
///
/// Landlock only ever adds rights to a folder and all below it. Where something below may do less than its folder, the folder
/// itself is left out and each of its entries gets a rule of its own; what is made in such a folder later has none.
struct AccessTree {
  enum Access: Int, Comparable {
    case none, read, write

    static func < (left: Access, right: Access) -> Bool { left.rawValue < right.rawValue }
  }

  struct Rule: Equatable {
    var path: String
    var access: Access
  }

  /// By canonical path, without a slash at the end but for the root's.
  private var words: [String: Access]

  /// - Parameter root: what holds where nothing else is said.
  init(root: Access) { words = ["/": root] }

  mutating func set(_ path: String, _ access: Access) {
    if path.hasPrefix("/") { words[path] = access }
  }

  subscript(_ path: String) -> Access {
    var place = path
    while true {
      if let access = words[place] { return access }
      place = Self.parent(of: place)
    }
  }

  /// - Parameter entries: the names in a folder; none for what is no folder. Symbolic links are to be left out: what they
  ///   name has its own place in the tree.
  func rules(entries: (String) -> [String]) -> [Rule] {
    var rules: [Rule] = []
    collect("/", access: self["/"], granted: .none, words.filter { $0.key != "/" }, entries, into: &rules)
    return rules
  }

  private func collect(
    _ path: String, access: Access, granted: Access, _ below: [String: Access], _ entries: (String) -> [String],
    into rules: inout [Rule]
  ) {
    let lowest = below.values.reduce(access) { min($0, $1) }
    if lowest > granted { rules.append(Rule(path: path, access: lowest)) }
    guard !below.isEmpty else { return }
    let base = path == "/" ? "/" : path + "/"
    let named = Set(below.keys.map { String($0.dropFirst(base.count).prefix { $0 != "/" }) })
    // Where nothing below may do less, only what may do more has to be gone into.
    for name in lowest == access ? named.sorted() : entries(path).sorted() {
      let child = base + name
      collect(
        child, access: below[child] ?? access, granted: max(granted, lowest),
        below.filter { $0.key.hasPrefix(child + "/") }, entries, into: &rules)
    }
  }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
  }
}
