import CLibrary
import Foundation
import Testing

/// Has an empty folder for the length of `body`. Its name has the test's in it, and is short: paths of sockets may have a
/// hundred bytes.
/// - Parameter parent: the folder that it lies in; the one for temporary files otherwise.
public func withTemporaryFolder<Result>(
  in parent: String? = nil, _ body: (String) async throws -> Result
) async throws -> Result {
  let test = (Test.current?.name ?? "none").prefix { $0.isLetter }.prefix(16)
  let name = "cf-bench-test-\(test)-\(UUID().uuidString.prefix(8))"
  let folder = (parent.map { URL(filePath: $0) } ?? FileManager.default.temporaryDirectory).appending(path: name)
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
    let left = Proc.pids.filter { $0 != getpid() && Proc.isOf(path, $0) }
    for pid in left { kill(pid, SIGKILL) }
    if left.isEmpty {
      try? FileManager.default.removeItem(atPath: path)  // whether it is gone is what counts
      if !FileManager.default.fileExists(atPath: path) { return }
    }
    usleep(5000)  // nobody tells when another program's end is complete
  }
}
