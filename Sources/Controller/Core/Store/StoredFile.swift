import CLibrary
import FoundationEssentials
import Shared
import SystemPackage

/// Whole files of results: read in one go, and replaced in one rename, so that a reader never sees half of one.
enum StoredFile {
  /// - Throws: ``ResultsError/unreadable(path:reason:)``
  static func read(_ path: FilePath) throws(ResultsError) -> [UInt8] {
    do {
      let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
      return try file.closeAfter {
        var bytes: [UInt8] = []
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { chunk.deallocate() }
        while case let count = try file.read(into: chunk), count > 0 {
          bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
        }
        return bytes
      }
    } catch {
      throw .unreadable(path: path.string, reason: "\(error)")
    }
  }

  /// Replaces the file in one step; see ``DurableFile``.
  /// - Throws: ``ResultsError/unwritable(path:reason:)``; the old file then stands as it was.
  static func write(_ bytes: some Sequence<UInt8>, to path: FilePath) throws(ResultsError) {
    do { try DurableFile.write(Array(bytes), to: path.string, mode: 0o644) } catch { throw .unwritable(error) }
  }

  static func write(_ text: String, to path: FilePath) throws(ResultsError) {
    try write(Masking.redactor.redacted(text).utf8, to: path)
  }

  /// Makes a folder, with all above it that are not there yet.
  /// - Throws: ``ResultsError/unwritable(path:reason:)``
  static func makeFolders(_ path: FilePath) throws(ResultsError) {
    guard !path.isEmpty, access(path.string, F_OK) != 0 else { return }
    try makeFolders(path.removingLastComponent())
    guard mkdir(path.string, 0o755) == 0 || errno == EEXIST else {
      throw .unwritable(path: path.string, reason: "\(Errno(rawValue: errno))")
    }
  }

  /// A document as readable JSON with sorted keys and a last newline.
  static func write(json document: some Encodable, to path: FilePath) throws(ResultsError) {
    try write(try json(document, path: path) + [UInt8(ascii: "\n")], to: path)
  }

  private static func json(_ document: some Encodable, path: FilePath) throws(ResultsError) -> [UInt8] {
    do { return Masking.redactor.redacted(line: Array(try JSONEncoder.pretty.encode(document))) } catch {
      throw .unwritable(path: path.string, reason: "a value in it can't be written as JSON: \(error)")
    }
  }

  /// - Throws: ``ResultsError/unreadable(path:reason:)``, ``ResultsError/damagedFile(path:reason:)``
  static func decode<Document: Decodable>(_: Document.Type, at path: FilePath) throws(ResultsError) -> Document {
    let bytes = try read(path)
    do { return try JSONDecoder().decode(Document.self, from: Data(bytes)) } catch {
      throw .damagedFile(path: path.string, reason: DecodingErrorText.describe(error))
    }
  }
}
