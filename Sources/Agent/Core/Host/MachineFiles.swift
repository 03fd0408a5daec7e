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

/// Where the kernel shows what both the witness reads and the tuning turns (Documentation/admin-guide/pm/cpufreq.rst,
/// intel_pstate.rst and sysctl/kernel.rst of the kernel).
enum KernelPaths {
  static let addressRandomisation = "/proc/sys/kernel/randomize_va_space"
  /// 1: turbo is off.
  static let noTurbo = "/sys/devices/system/cpu/intel_pstate/no_turbo"
  /// 0: turbo is off.
  static let boost = "/sys/devices/system/cpu/cpufreq/boost"
  private static let policies = "/sys/devices/system/cpu/cpufreq"

  /// A governor for each group of CPUs that change their frequency together.
  static func governors(_ files: MachineFiles) -> [String] {
    let numbers = files.names(in: policies).filter { $0.hasPrefix("policy") }.compactMap { Int($0.dropFirst(6)) }
    return numbers.sorted().map { "\(policies)/policy\($0)/scaling_governor" }
  }

  static func isGovernor(_ path: String) -> Bool {
    let prefix = "\(policies)/policy"
    let suffix = "/scaling_governor"
    guard path.hasPrefix(prefix), path.hasSuffix(suffix), path.count > prefix.count + suffix.count else { return false }
    return path.dropFirst(prefix.count).dropLast(suffix.count).allSatisfy { ("0"..."9").contains($0) }
  }
}

/// The kernel's copies of files in memory.
enum PageCache {
  /// Drops those that are not in use, where this user may (root on Linux). See proc(5), /proc/sys/vm/drop_caches.
  static func drop() {
    let file = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    sync()
    // A container may hold the file and refuse the write: then the files are read from memory, on all arms alike.
    _ = write(file, "1", 1)
  }
}
