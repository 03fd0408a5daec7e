/// What the kernel shows of the processor at this moment; each `nil` where it shows nothing.
struct ProcessorState {
  let files: MachineFiles

  /// The names that the hypervisor gives itself, or `unnamed`. Visible by the CPU flag `hypervisor` (x86) or by
  /// `/sys/hypervisor/type` (Xen); without either the names of the board are those of real hardware and say nothing.
  var hypervisor: String? {
    let type = files.text("/sys/hypervisor/type")
    let flags = cpuInfo("flags")?.split(separator: " ") ?? []
    guard type != nil || flags.contains("hypervisor") else { return nil }
    let board = ["sys_vendor", "product_name"].map { files.text("/sys/class/dmi/id/\($0)") }
    let names = ([type] + board).compactMap { $0.map(HostReader.printable) }.filter { !$0.isEmpty }
    return names.isEmpty ? "unnamed" : names.joined(separator: " ")
  }

  var governor: String? {
    let governors = Set(KernelPaths.governors(files).compactMap(files.text)).sorted()
    return governors.isEmpty ? nil : governors.joined(separator: ", ")
  }

  /// In MHz, from cpufreq (which has kHz) or `/proc/cpuinfo`.
  var frequencyMHz: Double? {
    if let text = files.text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"), let kilohertz = Double(text) {
      return kilohertz / 1000
    }
    return cpuInfo("cpu MHz").flatMap { Double($0) }
  }

  var turbo: Bool? {
    if let text = files.text(KernelPaths.noTurbo) { return text == "0" }
    return files.text(KernelPaths.boost).map { $0 == "1" }
  }

  var threadsPerCore: Int? {
    let siblings = files.text("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list").map(CPUList.numbers)
    return siblings.flatMap { $0.isEmpty ? nil : $0.count }
  }

  /// A field of the first CPU in `/proc/cpuinfo`.
  private func cpuInfo(_ name: String) -> Substring? {
    for line in (files.text("/proc/cpuinfo") ?? "").split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      if line[..<colon].filter({ $0 != "\t" }) == name { return line[line.index(after: colon)...].drop { $0 == " " } }
    }
    return nil
  }
}

/// The kernel's way to list CPUs, such as `0-3,8` (cpuset(7), "List format").
enum CPUList {
  /// Empty for what is no list.
  static func numbers(_ text: String) -> [Int] {
    var numbers: [Int] = []
    for part in text.split(separator: ",") {
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, ends.count <= 2, first <= last, last < 1 << 16 else {
        return []
      }
      numbers += first...last
    }
    return numbers
  }

  static func text(_ numbers: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    for number in Set(numbers).sorted() {
      if let last = ranges.last, last.upperBound + 1 == number {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: ",")
  }
}
