import FoundationEssentials
import Glibc
import Shared

/// Reads what the machine says of itself (proc(5), os-release(5), uname(2)).
struct HostReader {
  var environment: [String: String]
  var files = MachineFiles()

  /// Takes as long as ``BusyProcesses/lookSeconds``.
  func witness() -> HostInfo {
    let memory = memory()
    let processor = ProcessorState(files: files)
    return HostInfo(
      hostname: Self.hostname, kernel: "\(Self.uname.system) \(Self.uname.release) \(Self.uname.machine)",
      cpuModel: cpuModel, cpuCount: sysconf(Int32(_SC_NPROCESSORS_ONLN)), memoryBytes: memory.total,
      availableMemoryBytes: memory.available, load: Self.load,
      bootID: files.text("/proc/sys/kernel/random/boot_id") ?? "", operatingSystem: operatingSystem,
      hyperfineVersion: toolVersion("hyperfine"), uvVersion: toolVersion("uv"), hypervisor: processor.hypervisor,
      governor: processor.governor, frequencyMHz: processor.frequencyMHz, turbo: processor.turbo,
      addressRandomisation: files.text(KernelPaths.addressRandomisation).flatMap { Int($0) },
      threadsPerCore: processor.threadsPerCore, swapUsedBytes: memory.swapUsed,
      memoryPressure: Pressure.read("memory", files)?.recentPercent,
      cpuPressure: Pressure.read("cpu", files)?.recentPercent, busyProcesses: BusyProcesses.look(files))
  }

  /// The second word of `NAME --version`, which is the version for both tools that we ask.
  func toolVersion(_ name: String) -> String? {
    let child = ChildProcess(
      program: name, arguments: ["--version"], environment: environment, directory: "/", limitSeconds: 10)
    guard let outcome = try? child.run(), outcome.succeeded else { return nil }  // not there: no version
    return outcome.outputText.split(whereSeparator: \.isWhitespace).dropFirst().first.map(String.init)
  }

  static var uname: (system: String, release: String, machine: String, node: String) {
    var name = utsname()
    Glibc.uname(&name)
    func text<T>(_ field: T) -> String {
      withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return (text(name.sysname), text(name.release), text(name.machine), text(name.nodename))
  }

  static var hostname: String { uname.node }

  /// The C library that this process runs with, such as `glibc 2.39`; `nil` where it does not say.
  static var libc: String? {
    var buffer = [CChar](repeating: 0, count: 64)
    let count = confstr(Int32(_CS_GNU_LIBC_VERSION), &buffer, buffer.count)
    guard count > 1, count <= buffer.count else { return nil }
    return String(decoding: buffer[..<(count - 1)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  static var userName: String {
    guard let entry = getpwuid(geteuid()) else { return "\(geteuid())" }
    return String(cString: entry.pointee.pw_name)
  }

  static var load: Double {
    Double(MachineFiles().text("/proc/loadavg")?.split(separator: " ").first ?? "") ?? 0
  }

  /// A name as one line without control characters: processes and firmware may put anything there.
  static func printable(_ name: String) -> String {
    String(String.UnicodeScalarView(name.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }))
  }

  private var cpuModel: String {
    let line = (files.text("/proc/cpuinfo") ?? "").split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").dropFirst().first?.drop { $0 == " " }.description ?? "unknown"
  }

  private var operatingSystem: String {
    let line = (files.text("/etc/os-release") ?? "").split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
    return line?.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" } ?? Self.uname.system
  }

  /// In bytes.
  private func memory() -> (total: Int, available: Int, swapUsed: Int?) {
    var found: [Substring: Int] = [:]
    for line in (files.text("/proc/meminfo") ?? "").split(separator: "\n") {
      let words = line.split(whereSeparator: { $0 == " " || $0 == ":" })
      if words.count > 1 { found[words[0]] = Int(words[1]).map { $0 * 1024 } }
    }
    let swap = found["SwapTotal"].flatMap { total in found["SwapFree"].map { max(0, total - $0) } }
    return (found["MemTotal"] ?? 0, found["MemAvailable"] ?? 0, swap)
  }
}

/// The kernel's name for this boot of the machine (random(4)); `nil` where it does not tell.
enum BootID {
  static var current: String? { MachineFiles().text("/proc/sys/kernel/random/boot_id") }
}
