import Foundation
import LocalSSHD
import TestSupport

/// A process of an agent, by what /proc tells of it.
struct AgentProcess: Sendable {
  enum Role: String, Sendable {
    case serve
    /// Keeps a job's processes together.
    case supervisor = "run"
    /// Measures.
    case worker = "work"
    case other
  }
  var pid: pid_t
  var role: Role
  var job: String?

  /// All whose program lies below an agent's home.
  static func all(below home: String) -> [AgentProcess] {
    Proc.pids.compactMap { pid in
      guard let program = Proc.program(pid), program.hasPrefix(home + "/") else { return nil }
      let words = Proc.arguments(pid)
      guard words.first?.contains("cf-bench-agent") == true else { return nil }
      let role = words.dropFirst().first.flatMap(Role.init(rawValue:)) ?? .other
      return AgentProcess(pid: pid, role: role, job: words.count > 2 ? words[2] : nil)
    }
  }
}

/// The processes of a private sshd.
extension SSHDProcesses {
  static func listener(of server: PrivateSSHD) -> pid_t? {
    Proc.pids.first { pid in
      let line = Proc.arguments(pid).joined(separator: " ")
      return line.contains(server.folder + "/sshd_config") && line.contains("sshd") && !line.contains("/bin/sh")
    }
  }

  /// Those that serve one connection each, and their children of the same name.
  static func sessions(of server: PrivateSSHD) -> [pid_t] {
    guard let listener = listener(of: server) else { return [] }
    var found: [pid_t] = []
    var parents: Set<Int> = [Int(listener)]
    let named = Proc.pids.filter { (Proc.program($0) ?? "").contains("sshd") }
    while true {
      let children = named.filter { pid in
        !found.contains(pid) && Proc.status(pid, "PPid").map(parents.contains) == true
      }
      if children.isEmpty { return found }
      found += children
      parents = Set(children.map { Int($0) })
    }
  }
}

/// Watches how much memory the agent's processes take.
final class AgentMemory: Sendable {
  private let task: Task<[AgentProcess.Role: Int], Never>

  init(below home: String) {
    task = Task {
      var worst: [AgentProcess.Role: Int] = [:]
      while !Task.isCancelled {
        for agent in AgentProcess.all(below: home) {
          // The highest that it ever was, so that looking now and then is enough.
          worst[agent.role] = max(worst[agent.role] ?? 0, Proc.status(agent.pid, "VmHWM") ?? 0)
        }
        try? await Task.sleep(for: .milliseconds(50))  // ends with the task
      }
      return worst
    }
  }

  /// The largest peak of a process, in MiB.
  func end() async -> (megabytes: Double, role: String) {
    task.cancel()
    let worst = await task.value.max { $0.value < $1.value }
    return (Double(worst?.value ?? 0) / 1024, worst?.key.rawValue ?? "none")
  }

  static let limit = 64.0
}
