import Glibc
import Shared

/// A job's own control group (cgroups(7), version 2): no process of the job can leave it unseen, and one write ends them all.
/// To be had by root and below a group that was handed over to the user; elsewhere ``ProcessTree`` does the work alone.
struct JobCgroup: Equatable {
  let path: String

  init(path: String) { self.path = path }

  /// Makes one below this process's own; `nil` where that is not permitted, or `CF_BENCH_CGROUP` is `no`.
  static func make(for folder: JobFolder, environment: [String: String]) -> JobCgroup? {
    guard environment["CF_BENCH_CGROUP"] != "no", let own else { return nil }
    // Two homes may each have a job of this name.
    let group = JobCgroup(path: "\(own)/cf-bench-\(SHA256.hex(folder.path.utf8).prefix(16))")
    guard mkdir(group.path, 0o755) == 0 || errno == EEXIST else { return nil }
    guard access(group.processes, W_OK) == 0 else {
      group.remove()
      return nil
    }
    return group
  }

  /// The folder of the group that this process is in.
  private static var own: String? {
    guard let mount = mount(MachineFiles().text("/proc/self/mountinfo") ?? ""),
      let line = MachineFiles().text("/proc/self/cgroup")?.split(separator: "\n").first(where: { $0.hasPrefix("0::/") })
    else { return nil }
    var group = String(line.dropFirst(3))
    // Outside of what is mounted here, as in a container that was entered from without.
    guard !group.hasPrefix("/.."), mount.root == "/" || group.hasPrefix(mount.root) else { return nil }
    if mount.root != "/" { group.removeFirst(mount.root.count) }
    return group == "/" ? mount.point : mount.point + group
  }

  /// Where version 2 is mounted, and which of its groups stands there (proc(5), `mountinfo`).
  static func mount(_ table: String) -> (root: String, point: String)? {
    for line in table.split(separator: "\n") {
      let halves = line.split(separator: " - ", maxSplits: 1)
      let fields = halves[0].split(separator: " ")
      guard halves.count == 2, halves[1].hasPrefix("cgroup2 "), fields.count > 4 else { continue }
      return (String(fields[3]), String(fields[4]))
    }
    return nil
  }

  private var processes: String { path + "/cgroup.procs" }

  /// Puts this process into the group. Returns 0 or an `errno`.
  func enter() -> Int32 { MachineFiles().write("0", to: processes) }

  /// Sends SIGKILL to all that is in the group and below it.
  func kill() {
    // Since Linux 5.14; before that they are found by their numbers.
    guard MachineFiles().write("1", to: path + "/cgroup.kill") != 0 else { return }
    for pid in pids { Glibc.kill(pid, SIGKILL) }
  }

  var pids: [pid_t] { (MachineFiles().text(processes) ?? "").split(separator: "\n").compactMap { pid_t($0) } }

  /// Removes the group, and those that the job made in it, once they are empty.
  func remove() {
    guard rmdir(path) != 0, errno != ENOENT else { return }
    for name in MachineFiles().names(in: path) where !name.contains(".") { JobCgroup(path: "\(path)/\(name)").remove() }
    // Its last process may still be on its way out. One that can't be ended keeps it: the log says so.
    for _ in 0..<50 where rmdir(path) != 0 && errno == EBUSY { usleep(2000) }
  }
}
