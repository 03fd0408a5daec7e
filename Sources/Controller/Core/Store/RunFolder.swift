import CLibrary
import FoundationEssentials
import Shared
import SystemPackage

/// The folder that holds a job's events: of a run, or of a comparison, which has a folder for each side beside it.
///
/// `docs/results.md` shows the layout.
struct RunFolder: Equatable, Sendable {
  let path: FilePath
  let sides: SidesDocument

  static let sidesFile = "sides.json"

  var events: FilePath { path.appending(StoredEvents.fileName) }
  var isComparison: Bool { sides.sides.count == 2 }

  /// Where a side's documents belong: a run's own folder, or one beside that of the comparison.
  func folder(of side: Side) -> FilePath? {
    guard isComparison else { return side == .head ? path : nil }
    return sides.sides.first { $0.side == side }.map { path.removingLastComponent().appending($0.folder) }
  }

  /// How often the next second is tried when a timestamp is taken.
  private static let attempts = 60

  /// Makes the folders of a new run (`base` nil) or comparison below `results`, for this caller alone: when another
  /// one has the same names already, the timestamp moves on to the next second.
  /// - Throws: ``ResultsError``
  static func create(
    in results: FilePath, base: String?, head: String, job: JobID? = nil, alpha: Double, delta: Double,
    gate: Gate? = nil, at date: Date = .now
  ) throws(ResultsError) -> RunFolder {
    try StoredFile.makeFolders(results)
    for second in 0..<attempts {
      let layout = layout(base: base, head: head, timestamp: Timestamp.folder(date + Double(second)))
      guard try makeAll(([layout.main] + layout.sides.map(\.folder)).uniqued().map { results.appending($0) }) else {
        continue
      }
      let document = SidesDocument(
        timestamp: layout.timestamp, job: job, alpha: alpha, delta: delta, gate: gate, sides: layout.sides)
      let folder = RunFolder(path: results.appending(layout.main), sides: document)
      try StoredFile.write(json: document, to: folder.path.appending(sidesFile))
      return folder
    }
    throw .namesTaken(folder: results.string, tried: attempts)
  }

  /// The folder that was made last below `results`, of a run or a comparison.
  static func newest(in results: FilePath) throws(Problem) -> FilePath {
    // None can be looked at: there is none then.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: results.string)) ?? []
    // Their ends are timestamps; a side's folder of a comparison has no list of sides.
    let newest = names.filter {
      FileManager.default.fileExists(atPath: results.appending($0).appending(sidesFile).string)
    }
    .max { ($0.suffix(16), $0) < ($1.suffix(16), $1) }
    guard let newest else {
      throw Problem(
        what: "there are no results yet", why: "\(results) holds no folder of a run or a comparison",
        fix: "measure first: cf-bench compare, or name a folder of results", exitStatus: .usage)
    }
    return results.appending(newest)
  }

  /// Finds a folder made earlier.
  /// - Throws: ``ResultsError``
  static func open(_ path: FilePath) throws(ResultsError) -> RunFolder {
    let file = path.appending(sidesFile)
    guard access(file.string, F_OK) == 0 else {
      throw .notAFolderOfResults(path: path.string, missing: sidesFile)
    }
    let document = try StoredFile.decode(SidesDocument.self, at: file)
    // The names come from a file that may have travelled: none of them may lead out of the folder of results.
    for entry in document.sides where FilePath.Component(entry.folder)?.kind != .regular {
      throw .damagedFile(path: file.string, reason: "'\(entry.folder)' is no name of a folder")
    }
    let order = document.sides.map(\.side)
    guard order == [.head] || order == [.base, .head] else {
      throw .damagedFile(path: file.string, reason: "its sides must be head, or base and head")
    }
    return RunFolder(path: absolute(path), sides: document)
  }

  private typealias Layout = (main: String, timestamp: String, sides: [SidesDocument.Entry])

  private static func layout(base: String?, head: String, timestamp: String) -> Layout {
    guard let base else {
      let main = "\(RevisionName.folder(head))-\(timestamp)"
      return (main, timestamp, [.init(side: .head, label: head, folder: main)])
    }
    let names = RevisionName.folders(base: base, head: head)
    let main = "\(RevisionName.folder(head))-vs-\(RevisionName.folder(base))-\(timestamp)"
    return (
      main, timestamp,
      [
        .init(side: .base, label: base, folder: "\(names.base)-\(timestamp)"),
        .init(side: .head, label: head, folder: "\(names.head)-\(timestamp)"),
      ]
    )
  }

  /// Makes all of the folders or none; `false` when one of them is there already.
  private static func makeAll(_ paths: [FilePath]) throws(ResultsError) -> Bool {
    for (index, path) in paths.enumerated() where mkdir(path.string, 0o755) != 0 {
      let failure = errno
      for made in paths[..<index] { rmdir(made.string) }  // Just made and empty.
      guard failure == EEXIST else {
        throw .unwritable(path: path.string, reason: "\(Errno(rawValue: failure))")
      }
      return false
    }
    return true
  }

  /// The sides' folders are found beside this one, so its own place must be known even for `report .`.
  private static func absolute(_ path: FilePath) -> FilePath {
    guard !path.isAbsolute || path.components.contains(where: { $0.kind != .regular }),
      let resolved = realpath(path.string, nil)
    else { return path }
    defer { free(resolved) }
    return FilePath(String(cString: resolved))
  }
}

/// `sides.json`: what a folder of results is about, written before anything is measured. Schema:
/// `docs/schemas/sides.schema.json`.
///
/// With `events.ndjson` beside it, it is all that the words and documents of the folder are made from.
struct SidesDocument: Codable, Equatable, Sendable {
  var schema: Int = 1
  /// The timestamp in the names of the folders, `YYYYMMDDTHHMMSSZ`.
  var timestamp: String
  /// The job whose events the folder holds; absent in folders of the first release.
  var job: JobID?
  /// The chance, over all metrics of the run together, of calling identical code different.
  var alpha: Double
  /// The smallest relative difference that counts.
  var delta: Double
  /// What the run has to keep to; absent without one.
  var gate: Gate?
  /// One side (a run) or two (a comparison), base first.
  var sides: [Entry]

  struct Entry: Codable, Equatable, Sendable {
    var side: Side
    /// The revision as the person wrote it.
    var label: String
    /// Name of the folder with this side's documents, beside the folder that holds this file.
    var folder: String
  }
}

/// A revision's label as part of a folder's name.
enum RevisionName {
  /// Longer labels are cut, so that two of them and a timestamp fit the 255 bytes that file systems allow.
  static let limit = 100

  /// Letters, digits and `. _ + = -` stay, a `/` and everything else becomes `-`; never hidden, never like an option.
  static func folder(_ label: String) -> String {
    var name = String(label.unicodeScalars.map { isSafe($0) ? Character($0) : "-" })
    if let first = name.first, first == "." || first == "-" { name = "_" + name.dropFirst() }
    return name.isEmpty ? "revision" : String(name.prefix(limit))
  }

  /// The names of both sides; those that would be the same, also where a file system ignores case, are told apart.
  static func folders(base: String, head: String) -> (base: String, head: String) {
    let (base, head) = (folder(base), folder(head))
    return base.lowercased() == head.lowercased() ? (base + "-base", head + "-head") : (base, head)
  }

  private static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "+", "=", "-": true
    default: false
    }
  }
}
