import Foundation
import Glibc
import LocalSSHD

/// The processes of one private sshd: the listener, and one or two a session.
enum SSHDProcesses {
  /// Kills all of them; gives their number.
  static func killAll(of server: PrivateSSHD) -> Int {
    let all = pids(of: server)
    for pid in all { kill(pid, SIGKILL) }
    return all.count
  }

  /// The listener names the server's folder in its arguments; sessions are its children and theirs.
  private static func pids(of server: PrivateSSHD) -> [pid_t] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let processes = entries.compactMap { pid_t($0) }
    var found = processes.filter { pid in
      let line = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""  // gone meanwhile
      return line.contains(server.folder + "/sshd_config") && line.contains("sshd")
        && !line.contains("cf-bench-sshd-lifetime")
    }
    var parents = Set(found)
    while true {
      let children = processes.filter { pid in
        guard !parents.contains(pid), let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
          stat.contains("(sshd)")  // not what runs in a session
        else { return false }
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        return fields.count > 2 && (pid_t(fields[2]).map(parents.contains) ?? false)
      }
      guard !children.isEmpty else { return found }
      found += children
      parents.formUnion(children)
    }
  }

  /// Starts it again on its old port, with its old keys.
  static func start(_ server: PrivateSSHD) throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/sbin/sshd")
    process.arguments = ["-D", "-f", server.folder + "/sshd_config", "-E", server.folder + "/log"]
    try process.run()
    return process
  }
}
