import Glibc
import Shared

/// Looks at the memory of a process and all that it started, as proc(5) tells it: `children` names a process's children,
/// `statm` its resident set, `smaps_rollup` its proportional one, `status` its high-water mark, `cmdline` its arguments.
///
/// For a proportional set the kernel walks all of a process's pages and holds up its mappings meanwhile, so it is asked only
/// when a peak may be near (the resident sets together within a twentieth of the highest so far), and each quarter of a second.
struct TreeSampler {
  private static let nearPeak = 0.95
  private static let longestGap = 0.25
  private var lastPoint = -1.0
  private let started = MonotonicClock.seconds
  private(set) var memory = TreeMemory()
  private(set) var points: [MemoryTimeline.Point] = []
  /// Processes that were seen, and how often the arguments of each were read.
  private var looks: [pid_t: Int] = [:]
  /// So often its arguments are read: between fork and exec they are its parent's.
  private static let argumentLooks = 3
  /// Values that processes of the tree were given for ``watchedOption``.
  private(set) var optionValues: Set<String> = []
  /// The option of its own pytest plugin by which codeflash says for how long it times a candidate, in seconds.
  static let watchedOption = "--codeflash_seconds="
  private var buffer = [UInt8](repeating: 0, count: 32 << 10)

  /// Adds one moment; a process that ends meanwhile counts with what was read of it.
  mutating func look(at root: pid_t) {
    let before = Self.cpuSeconds
    var there: [pid_t] = []
    var rss = 0
    var waiting = [root]
    while let pid = waiting.popLast() {
      waiting += children(of: pid)
      guard let resident = residentBytes(of: pid) else { continue }
      rss += resident
      there.append(pid)
    }
    guard !there.isEmpty else { return }
    for pid in there where looks[pid, default: 0] < Self.argumentLooks {
      looks[pid, default: 0] += 1
      readArguments(of: pid)
    }
    memory.processes = looks.count
    memory.looks += 1
    let now = MonotonicClock.seconds - started
    if Double(rss) >= Self.nearPeak * Double(memory.peakRSSBytes) || now - lastPoint >= Self.longestGap {
      addPoint(there, rss: rss, at: now)
    }
    memory.peakRSSBytes = max(memory.peakRSSBytes, rss)
    memory.costSeconds += Self.cpuSeconds - before
  }

  private mutating func addPoint(_ pids: [pid_t], rss: Int, at seconds: Double) {
    var pss = 0
    for pid in pids {
      guard let sizes = sizes(of: pid) else { continue }
      pss += sizes.pss
      memory.largestProcessBytes = max(memory.largestProcessBytes, sizes.peak)
    }
    memory.peakPSSBytes = max(memory.peakPSSBytes, pss)
    points.append(.init(seconds: seconds, pssBytes: pss, rssBytes: rss, processes: pids.count))
    lastPoint = seconds
  }

  /// The points, thinned to at most `limit`: of each stretch the highest stays, so that no peak is lost.
  func thinned(to limit: Int) -> [MemoryTimeline.Point] {
    guard points.count > limit, limit > 0 else { return points }
    return (0..<limit).compactMap { index in
      points[(index * points.count / limit)..<((index + 1) * points.count / limit)].max { $0.pssBytes < $1.pssBytes }
    }
  }

  /// What to say of a peak of 0: memory that can't be seen is not no memory.
  static let sawNothing = Problem(
    what: "the memory of codeflash's processes can't be seen",
    why: "the kernel tells no proportional set size of them (/proc/PID/smaps_rollup)",
    fix: "measure it on a Linux that has this file and lets its user read it; times are not touched by this",
    exitStatus: .partial)

  // MARK: Reading

  private mutating func children(of pid: pid_t) -> [pid_t] {
    var found: [pid_t] = []
    // Each thread has children of its own.
    for thread in MachineFiles().names(in: "/proc/\(pid)/task") {
      let text = read("/proc/\(pid)/task/\(thread)/children")
      found += text.split(separator: UInt8(ascii: " ")).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
    }
    return found
  }

  /// `nil` for a process that is gone.
  private mutating func residentBytes(of pid: pid_t) -> Int? {
    let fields = read("/proc/\(pid)/statm").split(separator: UInt8(ascii: " "))
    guard fields.count > 1, let pages = Int(String(decoding: fields[1], as: UTF8.self)), pages > 0 else { return nil }
    return pages * Self.pageBytes
  }

  private mutating func readArguments(of pid: pid_t) {
    let option = Array(Self.watchedOption.utf8)
    for word in read("/proc/\(pid)/cmdline").split(separator: 0) where word.starts(with: option) {
      optionValues.insert(String(decoding: word.dropFirst(option.count), as: UTF8.self))
    }
  }

  private static let pageBytes = sysconf(Int32(_SC_PAGESIZE))

  /// In bytes; `nil` for a process that is gone.
  private mutating func sizes(of pid: pid_t) -> (pss: Int, peak: Int)? {
    guard let pss = Self.kibibytes("Pss:", in: read("/proc/\(pid)/smaps_rollup")) else { return nil }
    return (pss * 1024, (Self.kibibytes("VmHWM:", in: read("/proc/\(pid)/status")) ?? pss) * 1024)
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

  /// CPU time of this thread, in seconds.
  private static var cpuSeconds: Double {
    var now = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }
}
