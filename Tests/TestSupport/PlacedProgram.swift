import Foundation

/// Puts a program where it will be started. `install` writes it: a descriptor of this process's own could live on for a moment
/// in a child that another test is just starting, and a file that somebody has open for writing can't be started (ETXTBSY).
public func placeProgram(_ bytes: Data, at path: String, mode: String = "755") throws {
  let draft = FileManager.default.temporaryDirectory.appending(path: "cf-bench-draft-\(UUID().uuidString)")
  try bytes.write(to: draft)
  defer { try? FileManager.default.removeItem(at: draft) }  // told at the end of the run
  let installer = Process()
  installer.executableURL = URL(filePath: "/usr/bin/install")
  installer.arguments = ["-m", mode, draft.path, path]
  try installer.run()
  installer.waitUntilExit()
  guard installer.terminationStatus == 0 else { throw ProgramNotPlaced(path: path) }
}

public func placeProgram(_ text: String, at path: String, mode: String = "755") throws {
  try placeProgram(Data(text.utf8), at: path, mode: mode)
}

struct ProgramNotPlaced: Error, CustomStringConvertible {
  var path: String
  var description: String { "install(1) could not put a program at \(path)" }
}
