import Foundation
import Shared
import SystemPackage

/// Run folders as sources of one side each. A block of a run is one value, the geometric mean of its samples: samples of the
/// same seconds are not independent of each other.
enum RunSources {
  /// - Throws: ``AnalysisError``
  static func sampleSet(_ folders: [RunFolder], alpha: Double) throws -> SampleSet {
    let records = try folders.map { folder in (folder: folder, record: try FolderRecord.read(folder)) }
    guard let first = records.first else { throw AnalysisError.empty(path: "the list of folders") }
    for other in records.dropFirst() {
      try FolderRecord.requireSameBoot(
        first.record, first.folder.path.string, other.record, other.folder.path.string)
    }
    let labels = records.map { $0.record.label(.head) }
    let sources = records.enumerated().map { index, one in
      // Two runs of one revision are told apart by their folders.
      let isUnique = labels.count { $0 == labels[index] } == 1
      return source(
        one.record, label: isUnique ? labels[index] : one.folder.path.lastComponent?.string ?? labels[index])
    }
    var set = try UnpairedSources.sampleSet(
      base: sources[0], heads: Array(sources.dropFirst()), alpha: alpha, matchesSingles: false)
    set.host = first.record.host
    return set
  }

  private static func source(_ record: JobRecord, label: String) -> SampleSource {
    let ready = record.ready(.head).first
    var source = SampleSource(
      label: label, results: [], troubles: record.failure.map { [Trouble(problem: $0)] } ?? [],
      identity: ready?.identity,
      commit: ready?.commit)
    source.troubles += record.troubles
    source.skipped = record.skipped
    for key in record.metrics {
      let samples = record.samples.filter { $0.key == key }
      let blocks = samples.map(\.block).uniqued().map { block in
        samples.filter { $0.block == block }.map(\.value)
      }
      source.add(
        .init(
          name: key.metric, variant: "\(key.layer.rawValue) \(key.python)", layer: key.layer, python: key.python,
          unit: key.unit, isControl: key.isControl, values: blocks.map(GeometricMean.of)))
    }
    return source
  }
}

enum GeometricMean {
  /// Of values that are positive; else the first that is not, so that whoever takes the mean meets it.
  static func of(_ values: [Double]) -> Double {
    if let wrong = values.first(where: { $0 <= 0 || !$0.isFinite }) { return wrong }
    guard let only = values.first, values.count > 1 else { return values.first ?? .nan }
    // Relative to one of them: equal values come out as they went in.
    return only * exp(values.reduce(0) { $0 + log($1 / only) } / Double(values.count))
  }
}
