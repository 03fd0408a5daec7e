import FoundationEssentials
import Shared

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads what the machine says of itself (proc(5), os-release(5), uname(2)).
struct HostReader {
  var environment: [String: String]

  func witness() -> HostWitness {
    let memory = Self.memory()
    return HostWitness(
      hostname: Self.hostname, kernel: "\(Self.uname.system) \(Self.uname.release) \(Self.uname.machine)",
      cpuModel: Self.cpuModel, cpuCount: sysconf(Int32(_SC_NPROCESSORS_ONLN)), memoryBytes: memory.total,
      availableMemoryBytes: memory.available, load: Self.load,
      bootID: Self.text("/proc/sys/kernel/random/boot_id"), operatingSystem: Self.operatingSystem,
      hyperfineVersion: toolVersion("hyperfine"), uvVersion: toolVersion("uv"))
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

  static var userName: String {
    guard let entry = getpwuid(geteuid()) else { return "\(geteuid())" }
    return String(cString: entry.pointee.pw_name)
  }

  static var load: Double { Double(text("/proc/loadavg").split(separator: " ").first ?? "") ?? 0 }

  private static var cpuModel: String {
    let line = text("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").dropFirst().first?.drop { $0 == " " }.description ?? "unknown"
  }

  private static var operatingSystem: String {
    let line = text("/etc/os-release").split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
    return line?.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" } ?? uname.system
  }

  private static func memory() -> (total: Int, available: Int) {
    var found: [Substring: Int] = [:]
    for line in text("/proc/meminfo").split(separator: "\n") {
      let words = line.split(whereSeparator: { $0 == " " || $0 == ":" })
      if words.count > 1 { found[words[0]] = Int(words[1]).map { $0 * 1024 } }
    }
    return (found["MemTotal"] ?? 0, found["MemAvailable"] ?? 0)
  }

  private static func text(_ path: String) -> String {
    // Files of /proc have no size; read until the end.
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = read(file, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0, bytes.count < 4 << 20 else { break }
      bytes += chunk[..<count]
    }
    let text = String(decoding: bytes, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }
}
