import Foundation
import Shared

/// Reads what `hyperfine --export-json` writes, and our own `startup.json`.
///
/// Format: `BenchmarkResult` in hyperfine's `src/benchmark/benchmark_result.rs`; times in seconds.
enum HyperfineFile {
  private struct Document: Decodable {
    var results: [Entry]
  }

  private struct Entry: Decodable {
    var command: String
    var times: [Double]?
    var exit_codes: [Int?]?
    var parameters: [String: String]?
  }

  /// - Throws: ``AnalysisError``
  static func read(_ file: AnalysisInputs.SampleFile, label: String) throws(AnalysisError) -> SampleSource {
    let document: Document
    do { document = try JSONDecoder().decode(Document.self, from: Data(file.bytes)) } catch {
      throw .notOfKind(path: file.path, kind: .hyperfine, reason: DecodingErrorText.describe(error))
    }
    var source = SampleSource(label: label, results: [])
    var seen: Set<String> = []
    for entry in document.results {
      let result = result(entry, isAlone: document.results.count { $0.command == entry.command } == 1)
      guard seen.insert(result.match).inserted else { throw .sameName(path: file.path, name: entry.command) }
      source.add(result)
      let failed = (entry.exit_codes ?? []).count { $0 != 0 }
      if failed > 0 {
        source.caveats.append(
          "\(failed) of \(entry.times?.count ?? 0) runs of \(entry.command) in \(label) did not end with exit status 0;"
            + " their times count all the same.")
      }
    }
    return source
  }

  /// Other parameters than the Python that our own files name stand in the name where the command alone is not unique.
  private static func result(_ entry: Entry, isAlone: Bool) -> SampleSource.Result {
    let python = entry.parameters?["python"]
    let others = (entry.parameters ?? [:]).filter { $0.key != "python" }.sorted { $0.key < $1.key }
    let suffix = others.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    return .init(
      name: entry.command + (isAlone || suffix.isEmpty ? "" : " (\(suffix))"), variant: isAlone ? "" : python ?? "",
      layer: .startup, python: python ?? SampleSource.unknownPython, values: entry.times ?? [])
  }
}
