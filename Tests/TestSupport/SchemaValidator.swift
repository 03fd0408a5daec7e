import Foundation
import Subprocess
import SystemPackage

/// Holds JSON against a schema of `docs/schemas`, with `check-jsonschema` from the checkout's `.tools/bin` or the PATH.
///
/// There is no skipping: without the validator every use throws, and says how to get it.
public enum SchemaValidator {
  public struct Missing: Error, CustomStringConvertible {
    public var description: String {
      "check-jsonschema is neither in .tools/bin nor on the PATH; `scripts/setup.sh --tests` gets it"
    }
  }

  /// Errors of the documents that don't fit, or `nil` when all do.
  /// - Parameter schema: Such as `startup`, for `docs/schemas/startup.schema.json`.
  public static func errors(of documents: [Data], schema: String) async throws -> String? {
    try await errors(schema: schema) { folder in
      try documents.enumerated().map { index, document in
        let file = folder.appending(path: "document-\(index).json")
        try document.write(to: file)
        return file.path
      }
    }
  }

  /// Places of the documents that fit, where each should be refused.
  public static func fitting(_ documents: [Data], schema: String) async throws -> [Int] {
    let errors = try await errors(of: documents, schema: schema) ?? ""
    return documents.indices.filter { !errors.contains("document-\($0).json::") }
  }

  /// The same as ``errors(of:schema:)`` for files that are there.
  public static func errors(ofFiles files: [String], schema: String) async throws -> String? {
    try await errors(schema: schema) { _ in files }
  }

  private static func errors(schema: String, files: (URL) throws -> [String]) async throws -> String? {
    let schemaFile = packageRoot.appending(path: "docs/schemas/\(schema).schema.json").path
    return try await withTemporaryFolder { folder in
      let result = try await run(
        .path(FilePath(try validator())),
        arguments: Arguments(
          ["--color", "never", "--no-cache", "--schemafile", schemaFile] + (try files(URL(filePath: folder)))),
        output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
      return result.terminationStatus.isSuccess ? nil : result.standardOutput + result.standardError
    }
  }

  /// The folder with `Package.swift`.
  public static var packageRoot: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  }

  private static func validator() throws -> String {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let folders = [packageRoot.appending(path: ".tools/bin").path] + path.split(separator: ":").map(String.init)
    let candidates = folders.map { "\($0)/check-jsonschema" }
    guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      throw Missing()
    }
    return found
  }
}
