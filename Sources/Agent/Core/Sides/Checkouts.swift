import FoundationEssentials
import Shared

/// Folders of code on the benchmark host's disk, each named by what is in it and shared by all jobs.
struct Checkouts {
  let home: AgentHome
  let tools: SetupTools

  /// The content of an uploaded archive.
  func unpacked(_ upload: UploadID) throws -> String {
    let file = try uploaded(upload)
    // As many digits as a commit has: both sides' paths are then equally long.
    return try placed(name: String(upload.sha256.prefix(40))) { temporary in
      try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: false)
      // GNU tar refuses `..` members, takes the leading slash off absolute ones and delays links that point outside.
      let outcome = try tools.run(
        "tar", ["--extract", "--gzip", "--file", file, "--directory", temporary, "--no-same-owner"],
        doing: "unpacking an uploaded folder")
      guard outcome.succeeded else { throw SideProblem.uploadDamaged(upload, outputTail: outcome.outputTail()) }
    }
  }

  /// An uploaded file.
  func uploaded(_ upload: UploadID) throws -> String {
    let file = "\(home.uploads)/\(upload)"
    guard FileManager.default.fileExists(atPath: file) else { throw SideProblem.uploadMissing(upload) }
    home.markUsed(file)
    return file
  }

  /// The checkout `name`, made by `fill` in a folder beside it and then moved into place: a killed one is never taken
  /// for whole.
  func placed(name: String, fill: (String) throws -> Void) throws -> String {
    let folder = "\(home.checkouts)/\(name)"
    let lock = try SetupLock(
      path: "\(home.checkouts)/\(name).lock", doing: "waiting for another checkout", limitSeconds: tools.limitSeconds)
    defer { extendLifetime(lock) }
    guard !FileManager.default.fileExists(atPath: folder) else {
      home.markUsed(folder)
      return folder
    }
    let temporary = "\(folder).part"
    try FileManager.default.removeIfThere(temporary)
    try fill(temporary)
    try FileManager.default.moveItem(atPath: temporary, toPath: folder)
    return folder
  }
}
