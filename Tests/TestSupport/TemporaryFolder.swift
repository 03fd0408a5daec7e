import CLibrary
import Foundation
import Testing

/// Has an empty folder for the length of `body`. Its name has the test's in it, and is short: paths of sockets may have a
/// hundred bytes.
public func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let test = (Test.current?.name ?? "none").prefix { $0.isLetter }.prefix(16)
  let name = "cf-bench-test-\(test)-\(UUID().uuidString.prefix(8))"
  let folder = FileManager.default.temporaryDirectory.appending(path: name)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { removeFolder(folder.path) }
  return try await body(folder.resolvingSymlinksInPath().path)
}

/// Removes a test's folder. What still runs there is ended first: a program that is tidying up makes a removal fail half-way,
/// or makes the folder anew.
///
/// What can't be removed within ten seconds is told at the end of the run.
public func removeFolder(_ path: String) {
  let deadline = ContinuousClock.now + .seconds(10)
  while ContinuousClock.now < deadline {
    let left = programs(of: path)
    for pid in left { kill(pid, SIGKILL) }
    if left.isEmpty {
      if (try? FileManager.default.removeItem(atPath: path)) != nil { return }
      if !FileManager.default.fileExists(atPath: path) { return }
    }
    usleep(5000)
  }
}

/// Other processes whose program, arguments or variables name the folder. Linux only; elsewhere none are found.
private func programs(of folder: String) -> [pid_t] {
  let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
  return entries.compactMap { pid_t($0) }.filter { pid in
    guard pid != getpid() else { return false }
    let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
    return program?.hasPrefix(folder + "/") == true
      || ["cmdline", "environ"].contains {
        FileManager.default.contents(atPath: "/proc/\(pid)/\($0)")?.range(of: Data(folder.utf8)) != nil
      }
  }
}
