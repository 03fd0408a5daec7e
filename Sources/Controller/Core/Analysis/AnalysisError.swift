import Shared

/// Input that can't be analysed. All of it ends with the exit status of wrong usage.
enum AnalysisError: UserFacingError, Equatable {
  /// One file where a base and a head are needed.
  case alone(path: String, kind: InputKind)
  /// More files than one of a kind that holds both sides.
  case severalTables(paths: [String])
  case mixed(first: String, firstKind: InputKind, other: String, otherKind: InputKind)
  /// The same samples under two names.
  case twice(path: String, other: String)
  case unreadable(path: String, reason: String)
  case empty(path: String)
  /// A folder that no run and no comparison made.
  case foreignFolder(path: String)
  case damagedFolder(path: String, reason: String, fix: String)
  /// Bytes that are no text.
  case notText(path: String, isCompressed: Bool)
  case notJSON(path: String)
  /// JSON of another kind; the names of its outermost fields.
  case unknownJSON(path: String, fields: [String])
  case notOfKind(path: String, kind: InputKind, reason: String)
  /// Two results of one file that can't be told apart.
  case sameName(path: String, name: String)
  case wrongHeader(path: String, found: String, fault: String)
  case wrongRow(path: String, line: Int, fault: String)
  case noRows(path: String)
  case nothingInCommon(base: String, head: String, baseNames: [String], headNames: [String])
  /// Folders whose samples must not be looked at together.
  case apart(path: String, other: String, difference: String)
  /// Folders to be pooled that were made with different α or δ.
  case differentSettings(path: String, other: String, flag: String)

  var exitStatus: ExitStatus { .usage }

  var what: String {
    switch self {
    case .alone(let path, let kind): "\(path) alone can't be compared: it is one side (\(kind.rawValue))"
    case .severalTables(let paths): "\(paths.count) CSV files can't be analysed together"
    case .mixed(let first, let firstKind, let other, let otherKind):
      "\(first) is a \(firstKind.rawValue), and \(other) is a \(otherKind.rawValue)"
    case .twice(let path, let other): "\(path) and \(other) hold the same samples"
    case .unreadable(let path, _): "\(path) can't be read"
    case .empty(let path): "\(path) is empty"
    case .foreignFolder(let path): "\(path) is not a folder of a run or a comparison"
    case .damagedFolder(let path, _, _): "the results in \(path) can't be read"
    case .notText(let path, let isCompressed): "\(path) is \(isCompressed ? "compressed" : "no text")"
    case .notJSON(let path): "\(path) starts like JSON but is not valid JSON"
    case .unknownJSON(let path, _): "\(path) is JSON of a kind that analyze does not know"
    case .notOfKind(let path, let kind, _): "\(path) is no \(kind.rawValue)"
    case .sameName(let path, let name): "\(path) holds two results with the name '\(name)'"
    case .wrongHeader(let path, _, _): "the first line of \(path) is not the header that analyze reads"
    case .wrongRow(let path, let line, _): "line \(line) of \(path) can't be used"
    case .noRows(let path): "\(path) has a header and no samples"
    case .nothingInCommon(let base, let head, _, _): "\(base) and \(head) have no benchmark in common"
    case .apart(let path, let other, _): "\(path) and \(other) must not be taken together"
    case .differentSettings(let path, let other, let flag): "\(path) and \(other) were made with another \(flag)"
    }
  }

  var why: String? {
    switch self {
    case .alone, .empty, .noRows, .notText: nil
    case .severalTables: "one CSV file holds base and head: blocks of two files may have the same numbers"
    case .mixed: "only samples of one kind can be held against each other"
    case .twice: "the same samples must not count twice"
    case .unreadable(_, let reason), .damagedFolder(_, let reason, _): reason
    case .foreignFolder: "it has no \(RunFolder.sidesFile)"
    case .notJSON: "it may have been cut off while it was written"
    case .unknownJSON(_, let fields):
      fields.isEmpty
        ? "its outermost value is no object with fields"
        : "its outermost fields are \(listed(fields, most: 8))"
    case .notOfKind(_, _, let reason): reason
    case .sameName: "which of them belongs to which of the other file is not known"
    case .wrongHeader(_, let found, let fault): "\(fault); it is '\(TerminalText.clean(found, limit: 120))'"
    case .wrongRow(_, _, let fault): fault
    case .nothingInCommon(_, _, let base, let head):
      "the one has \(listed(base)), the other \(listed(head))"
    case .apart(_, _, let difference): difference
    case .differentSettings: "which one is to decide is not known"
    }
  }

  var fix: String {
    switch self {
    case .alone(_, let kind): "name the base's first and then the head's: cf-bench analyze \(kind.example)"
    case .severalTables: "put all rows under one header, with block numbers that go on, and name that one file"
    case .mixed: "name files of one kind, or folders of one kind"
    case .twice: "name each file and each folder once"
    case .unreadable: "check the path and its permissions"
    case .empty: "measure again, or name another file"
    case .foreignFolder:
      "name a folder below results/ that has a \(RunFolder.sidesFile); of one side of a comparison, its startup.json"
    case .damagedFolder(_, _, let fix): fix
    case .notText(let path, true): "unpack it first: gunzip --keep \(path)"
    case .notText: "name files of `hyperfine --export-json` or of pyperf, a CSV file, or a folder of results"
    case .notJSON: "write the file again with `hyperfine --export-json FILE` or `pyperf … -o FILE`"
    case .unknownJSON(_, let fields):
      fields.contains("metrics") && fields.contains("verdict")
        ? "this is the result of an analysis: name the folder that it stands in"
        : "name files of `hyperfine --export-json` or of pyperf, a CSV file, or a folder of results"
    case .notOfKind: "write the file again with `hyperfine --export-json FILE` or `pyperf … -o FILE`"
    case .sameName: "give each its own name: hyperfine has --command-name, pyperf --name"
    case .wrongHeader:
      "start with metric,block,position,side,value (unit and layer may be added), separated by commas"
    case .wrongRow: "correct the line, or remove it together with its block"
    case .noRows: "write a line a sample, such as: sort,0,0,base,0.0123"
    case .nothingInCommon:
      "give it the same name on both sides (hyperfine --command-name, pyperf --name), or one result to each file"
    case .apart: "analyse each on its own, or measure both sides again in one comparison"
    case .differentSettings(_, _, let flag): "say which one with --\(flag)"
    }
  }
}

/// What a path can be.
enum InputKind: String, Sendable {
  case comparison = "comparison folder"
  case run = "run folder"
  case hyperfine = "hyperfine file"
  case pyperf = "pyperf file"
  case table = "CSV file"

  var example: String {
    switch self {
    case .run, .comparison: "results/main-20260131T123456Z results/perf-x-20260131T124456Z"
    case .hyperfine, .pyperf: "base.json head.json"
    case .table: "samples.csv"
    }
  }
}
