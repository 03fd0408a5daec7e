import CLibrary
import Foundation

/// What /proc tells; nothing of processes that are gone meanwhile, and nothing at all but on Linux.
public enum Proc {
  public static var pids: [pid_t] {
    // Elsewhere than on Linux there is no such folder.
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
  }

  public static func program(_ pid: pid_t) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")  // gone meanwhile
  }

  public static func arguments(_ pid: pid_t) -> [String] {
    let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
    return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Whether its program lies in the folder, or its arguments or variables name it.
  static func isOf(_ folder: String, _ pid: pid_t) -> Bool {
    program(pid)?.hasPrefix(folder + "/") == true
      || ["cmdline", "environ"].contains {
        FileManager.default.contents(atPath: "/proc/\(pid)/\($0)")?.range(of: Data(folder.utf8)) != nil
      }
  }

  /// A number of `/proc/PID/status`, such as `VmHWM` in KiB or `PPid`.
  public static func status(_ pid: pid_t, _ field: String) -> Int? {
    let text = String(decoding: FileManager.default.contents(atPath: "/proc/\(pid)/status") ?? Data(), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    return line?.split { !$0.isNumber }.first.flatMap { Int($0) }
  }

  public static func isZombie(_ pid: pid_t) -> Bool {
    let text = String(decoding: FileManager.default.contents(atPath: "/proc/\(pid)/status") ?? Data(), as: UTF8.self)
    return text.contains("State:\tZ")
  }
}
