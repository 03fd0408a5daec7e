import Foundation
import Shared
import SystemPackage

/// The paths of one analysis, read and known to be of one kind.
enum AnalysisInputs {
  case comparisons([RunFolder])
  case runs([RunFolder])
  case hyperfine([SampleFile])
  case pyperf([SampleFile])
  case table(SampleFile)

  /// The bytes of a file, and the name by which words call it.
  struct SampleFile {
    var path: String
    var bytes: [UInt8]
  }

  /// - Throws: ``AnalysisError``
  static func read(_ paths: [String]) throws -> AnalysisInputs {
    try refuseRepeats(paths)
    let found = try paths.map { try Found($0) }
    guard let first = found.first else { throw AnalysisError.empty(path: "the list of paths") }
    if let other = found.first(where: { $0.kind != first.kind }) {
      throw AnalysisError.mixed(
        first: first.path, firstKind: first.kind, other: other.path, otherKind: other.kind)
    }
    if found.count == 1, [.run, .hyperfine, .pyperf].contains(first.kind) {
      throw AnalysisError.alone(path: first.path, kind: first.kind)
    }
    switch first.kind {
    case .comparison: return .comparisons(found.compactMap(\.folder))
    case .run: return .runs(found.compactMap(\.folder))
    case .hyperfine: return .hyperfine(found.map(\.file))
    case .pyperf: return .pyperf(found.map(\.file))
    case .table:
      guard found.count == 1 else { throw AnalysisError.severalTables(paths: paths) }
      return .table(first.file)
    }
  }

  /// The same file by two names would count twice.
  private static func refuseRepeats(_ paths: [String]) throws(AnalysisError) {
    var seen: [String: String] = [:]
    for path in paths {
      let real = URL(filePath: path).resolvingSymlinksInPath().path
      if let other = seen[real] { throw .twice(path: other, other: path) }
      seen[real] = path
    }
  }

  private struct Found {
    var path: String
    var kind: InputKind
    var folder: RunFolder?
    var file: SampleFile

    init(_ path: String) throws {
      self.path = path
      file = SampleFile(path: path, bytes: [])
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw AnalysisError.unreadable(path: path, reason: "there is no such file or folder")
      }
      if isFolder.boolValue {
        let folder = try Self.folder(path)
        kind = folder.isComparison ? .comparison : .run
        self.folder = folder
      } else {
        file.bytes = try Self.bytes(path)
        kind = try Self.kind(file)
      }
    }

    private static func folder(_ path: String) throws(AnalysisError) -> RunFolder {
      do { return try RunFolder.open(FilePath(path)) } catch ResultsError.notAFolderOfResults {
        throw .foreignFolder(path: path)
      } catch { throw AnalysisError(error, path: path) }
    }

    private static func bytes(_ path: String) throws(AnalysisError) -> [UInt8] {
      do { return try StoredFile.read(FilePath(path)) } catch {
        throw .unreadable(path: path, reason: error.why ?? error.what)
      }
    }

    private static func kind(_ file: SampleFile) throws(AnalysisError) -> InputKind {
      let space = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r")]
      let text = file.bytes.starts(with: [0xef, 0xbb, 0xbf]) ? file.bytes[3...] : file.bytes[...]
      guard let start = text.first(where: { !space.contains($0) }) else { throw .empty(path: file.path) }
      // No text holds a zero; gzip's format is RFC 1952.
      let isCompressed = file.bytes.starts(with: [0x1f, 0x8b])
      guard !isCompressed, !text.prefix(1 << 16).contains(0) else {
        throw .notText(path: file.path, isCompressed: isCompressed)
      }
      guard start == UInt8(ascii: "{") || start == UInt8(ascii: "[") else { return .table }
      let fields: [String]
      do { fields = try JSONDecoder().decode(OutermostFields.self, from: Data(text)).names } catch {
        guard case DecodingError.typeMismatch = error else { throw .notJSON(path: file.path) }
        fields = []
      }
      if fields.contains("results") { return .hyperfine }
      if fields.contains("benchmarks") { return .pyperf }
      throw .unknownJSON(path: file.path, fields: fields.sorted())
    }
  }
}

extension AnalysisError {
  /// Trouble with a folder's own files.
  init(_ error: ResultsError, path: String) {
    self = .damagedFolder(
      path: path, reason: [error.what, error.why].compactMap { $0 }.joined(separator: ": "), fix: error.fix)
  }
}

/// The names of a JSON object's own fields.
private struct OutermostFields: Decodable {
  var names: [String]

  private struct Name: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    names = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue)
  }
}
