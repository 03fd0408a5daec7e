/// The line `some` of `/proc/pressure/NAME`: when at least one task waited (Documentation/accounting/psi.rst).
struct Pressure: Equatable {
  /// Percent of the last 10 s.
  var recentPercent: Double
  /// Since the machine started, in seconds.
  var totalSeconds: Double

  /// `nil` where the kernel keeps none (`CONFIG_PSI` off, or `psi=0`).
  static func read(_ name: String, _ files: MachineFiles) -> Pressure? {
    let lines = (files.text("/proc/pressure/\(name)") ?? "").split(separator: "\n")
    guard let some = lines.first(where: { $0.hasPrefix("some ") }) else { return nil }
    var recent: Double?
    var total: Double?
    for word in some.split(separator: " ") {
      if word.hasPrefix("avg10=") { recent = Double(word.dropFirst(6)) }
      if word.hasPrefix("total=") { total = Double(word.dropFirst(6)).map { $0 / 1e6 } }
    }
    guard let recent, let total else { return nil }
    return Pressure(recentPercent: recent, totalSeconds: total)
  }
}
