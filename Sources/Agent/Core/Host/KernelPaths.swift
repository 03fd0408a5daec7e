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
