import Glibc

/// The small text files by which the kernel tells of the machine and is told (proc(5), sysfs(5)), below a root.
struct MachineFiles {
  /// Put in front of every path: empty for the machine itself, a folder of copies in a test.
  var root = ""
  /// Writes a text to a full path and returns 0 or an `errno`; a test puts its own here.
  var writer: (_ path: String, _ text: String) -> Int32 = MachineFiles.put

  /// What the file says, without its last newline; `nil` when it is not there or can't be read.
  func text(_ path: String) -> String? {
    // Files of /proc have no size; read until the end.
    let file = open(root + path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = read(file, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return nil }
      guard count > 0, bytes.count < 4 << 20 else { break }
      bytes += chunk[..<count]
    }
    let text = String(decoding: bytes, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  func exists(_ path: String) -> Bool { access(root + path, F_OK) == 0 }

  /// Names in a folder, hidden ones left out; empty when it is not there.
  func names(in folder: String) -> [String] {
    guard let directory = opendir(root + folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }

  /// Tells the kernel; returns 0 or an `errno`. That it was taken shows only when it is read again.
  func write(_ text: String, to path: String) -> Int32 { writer(root + path, text) }

  private static func put(_ path: String, _ text: String) -> Int32 {
    let file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
    guard file >= 0 else { return errno }
    defer { close(file) }
    let bytes = Array(text.utf8)
    let count = Glibc.write(file, bytes, bytes.count)
    if count < 0 { return errno }
    return count == bytes.count ? 0 : EIO
  }
}
