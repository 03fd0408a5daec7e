/// A revision's label as part of a folder's name.
enum RevisionName {
  /// Longer labels are cut, so that two of them and a timestamp fit the 255 bytes that file systems allow.
  static let limit = 100

  /// Letters, digits and `. _ + = -` stay, a `/` and everything else becomes `-`; never hidden, never like an option.
  static func folder(_ label: String) -> String {
    var name = String(label.unicodeScalars.map { isSafe($0) ? Character($0) : "-" })
    if let first = name.first, first == "." || first == "-" { name = "_" + name.dropFirst() }
    return name.isEmpty ? "revision" : String(name.prefix(limit))
  }

  /// The names of both sides; those that would be the same, also where a file system ignores case, are told apart.
  static func folders(base: String, head: String) -> (base: String, head: String) {
    let (base, head) = (folder(base), folder(head))
    return base.lowercased() == head.lowercased() ? (base + "-base", head + "-head") : (base, head)
  }

  private static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "+", "=", "-": true
    default: false
    }
  }
}
