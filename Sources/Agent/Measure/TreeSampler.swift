import Shared

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Looks at the memory of a process and all that it started, as proc(5) tells it: `children` names a process's children,
/// `smaps_rollup` its proportional and resident set size, `status` its high-water mark.
struct TreeSampler {
  private let started = MonotonicClock.seconds
  private(set) var memory = TreeMemory()
  private(set) var points: [MemoryTimeline.Point] = []
  private var seen: Set<pid_t> = []
  private var buffer = [UInt8](repeating: 0, count: 32 << 10)

  /// Adds one moment; a process that ends meanwhile counts with what was read of it.
  mutating func look(at root: pid_t) {
    let before = Self.cpuSeconds
    var (pss, rss, count) = (0, 0, 0)
    var waiting = [root]
    while let pid = waiting.popLast() {
      waiting += children(of: pid)
      guard let sizes = sizes(of: pid) else { continue }
      pss += sizes.pss
      rss += sizes.rss
      count += 1
      seen.insert(pid)
      memory.largestProcessBytes = max(memory.largestProcessBytes, sizes.peak)
    }
    guard count > 0 else { return }
    memory.peakPSSBytes = max(memory.peakPSSBytes, pss)
    memory.peakRSSBytes = max(memory.peakRSSBytes, rss)
    memory.processes = seen.count
    memory.looks += 1
    points.append(
      .init(seconds: MonotonicClock.seconds - started, pssBytes: pss, rssBytes: rss, processes: count))
    memory.costSeconds += Self.cpuSeconds - before
  }

  /// The points, thinned to at most `limit`: of each stretch the highest stays, so that no peak is lost.
  func thinned(to limit: Int) -> [MemoryTimeline.Point] {
    guard points.count > limit, limit > 0 else { return points }
    return (0..<limit).compactMap { index in
      points[(index * points.count / limit)..<((index + 1) * points.count / limit)].max { $0.pssBytes < $1.pssBytes }
    }
  }

  // MARK: Reading

  private mutating func children(of pid: pid_t) -> [pid_t] {
    var found: [pid_t] = []
    // Each thread has children of its own.
    for thread in Self.names(in: "/proc/\(pid)/task") {
      let text = read("/proc/\(pid)/task/\(thread)/children")
      found += text.split(separator: UInt8(ascii: " ")).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
    }
    return found
  }

  /// In bytes; `nil` for a process that is gone.
  private mutating func sizes(of pid: pid_t) -> (pss: Int, rss: Int, peak: Int)? {
    let rollup = read("/proc/\(pid)/smaps_rollup")
    guard let rss = Self.kibibytes("Rss:", in: rollup), let pss = Self.kibibytes("Pss:", in: rollup) else { return nil }
    let status = read("/proc/\(pid)/status")
    return (pss * 1024, rss * 1024, (Self.kibibytes("VmHWM:", in: status) ?? rss) * 1024)
  }

  private mutating func read(_ path: String) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var size = 0
    while size < buffer.count {
      let count = buffer.withUnsafeMutableBytes { bytes in
        Glibc.read(file, bytes.baseAddress?.advanced(by: size), bytes.count - size)
      }
      guard count > 0 else { break }
      size += count
    }
    return Array(buffer[..<size])
  }

  /// The number behind `name` at a line's start.
  private static func kibibytes(_ name: String, in text: [UInt8]) -> Int? {
    let name = Array(name.utf8)
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: name) {
      let digits = line.dropFirst(name.count).drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
      return Int(String(decoding: digits.prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
    }
    return nil
  }

  private static func names(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
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

  /// CPU time of this thread, in seconds.
  private static var cpuSeconds: Double {
    var now = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }
}
