import Glibc

enum Executable {
  /// The path of a program that may be run, or `nil`. A name with a slash is taken as it is.
  static func find(_ name: String, path: String) -> String? {
    if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
    return path.split(separator: ":").lazy.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// The path of the running agent's own binary.
  static var own: String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { return CommandLine.arguments[0] }
    return path(ofLink: String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))
  }

  /// Where a program lies whose link in /proc reads so. One that was replaced while it runs, as an agent is by another
  /// controller's, has a mark behind its path (proc(5)): the new one stands there.
  static func path(ofLink link: String) -> String {
    let mark = " (deleted)"
    return link.hasSuffix(mark) && access(link, F_OK) != 0 ? String(link.dropLast(mark.count)) : link
  }
}

/// C's `char *const []` from Swift strings, for the length of a call.
enum CStringVector {
  static func with<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    let pointers = strings.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    var vector = pointers + [nil]
    return vector.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("a vector with its closing nil is never empty") }
      return body(base)
    }
  }
}

enum MonotonicClock {
  /// Seconds of `CLOCK_MONOTONIC`.
  static var seconds: Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }
}
