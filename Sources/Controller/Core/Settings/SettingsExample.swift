/// `cf-bench.example.yaml`: every key with its default and its meaning, all commented out. Made from the table of keys, so
/// that it can't say anything else.
enum SettingsExample {
  static var text: String {
    var lines = [
      "# Settings of cf-bench. Copy to cf-bench.yaml and take the '#' from what you change.",
      "# Flags win over CF_BENCH_* variables, those over this file, and this file over the defaults shown here.",
    ]
    var section = ""
    for key in SettingKey.all {
      let parts = key.name.split(separator: ".").map(String.init)
      if parts.count > 1, parts[0] != section {
        lines += ["", "#\(parts[0]):"]
      } else if parts.count == 1 {
        lines.append("")
      }
      section = parts.count > 1 ? parts[0] : ""
      let indentation = parts.count > 1 ? "  " : ""
      lines.append("#\(indentation)# \(key.meaning) (\(key.variable))")
      lines.append("#\(indentation)\(parts[parts.count - 1]): \(key.standard ?? "")".trimmingTrailingSpace)
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension String {
  fileprivate var trimmingTrailingSpace: String { hasSuffix(" ") ? String(dropLast()) : self }
}
