import Foundation
import Shared
import Statistics

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

/// Reads pyperf's JSON. A run is one process, and one unit: the mean of its values. Runs without values only calibrated.
///
/// Format 1.0: https://pyperf.readthedocs.io/en/latest/api.html#json-format. What all benchmarks, or all runs of one, have
/// in common stands in the metadata of the level above.
enum PyperfFile {
  private struct Document: Decodable {
    var benchmarks: [Benchmark]
    var metadata: Metadata?
  }

  private struct Benchmark: Decodable {
    var runs: [Run]
    var metadata: Metadata?
  }

  private struct Run: Decodable {
    var values: [Double]?
    var metadata: Metadata?
  }

  private struct Metadata: Decodable {
    var name: String?
    var unit: String?
    var hostname: String?
    var python_version: String?
    var boot_time: String?
  }

  /// A file and the machine that it names.
  struct Read {
    var source: SampleSource
    var hostname: String?
    var bootTime: String?
  }

  /// - Throws: ``AnalysisError``
  static func read(_ file: AnalysisInputs.SampleFile, label: String) throws(AnalysisError) -> Read {
    let document: Document
    do { document = try JSONDecoder().decode(Document.self, from: Data(file.bytes)) } catch {
      throw .notOfKind(path: file.path, kind: .pyperf, reason: DecodingErrorText.describe(error))
    }
    var source = SampleSource(label: label, results: [])
    var seen: Set<String> = []
    for benchmark in document.benchmarks {
      func said(_ field: KeyPath<Metadata, String?>) -> String? {
        benchmark.metadata?[keyPath: field] ?? document.metadata?[keyPath: field]
          ?? benchmark.runs.lazy.compactMap { $0.metadata?[keyPath: field] }.first
      }
      // Older files say "3.12.3", newer ones "3.12.3 (64-bit)".
      let python = said(\.python_version)?.split(separator: " ").first.map(String.init)
      var result = SampleSource.Result(
        name: said(\.name) ?? "benchmark", layer: .micro, python: python ?? SampleSource.unknownPython,
        values: benchmark.runs.compactMap { run in
          // A mean must not hide a value that none can be.
          run.values?.first { $0 <= 0 || !$0.isFinite } ?? Quantile.mean(run.values ?? [])
        })
      guard seen.insert(result.match).inserted else { throw .sameName(path: file.path, name: result.name) }
      switch said(\.unit) ?? "second" {
      case "second": source.add(result)
      case "byte":
        (result.unit, result.layer) = (.bytes, .memory)
        source.add(result)
      case let unit: source.refuse(result, "\(label) counts it in '\(unit)', and only seconds and bytes are compared")
      }
    }
    let machines = [document.metadata] + document.benchmarks.flatMap { [$0.metadata] + $0.runs.map(\.metadata) }
    return Read(
      source: source, hostname: machines.lazy.compactMap { $0?.hostname }.first,
      bootTime: machines.lazy.compactMap { $0?.boot_time }.first)
  }
}
