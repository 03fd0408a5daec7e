import Yams

/// Where a value was written, so that an error can point at it.
enum SettingPlace: Equatable, Sendable, CustomStringConvertible {
  /// A file; line and column count from 1, and are `nil` when the error is about the file as a whole.
  case file(String, line: Int?, column: Int?)
  /// An environment variable.
  case environment(String)
  /// A flag of the command line, such as `--python`.
  case flag(String)

  /// `cf-bench.yaml:3:5`, `CF_BENCH_PYTHON` or `--python`.
  var description: String {
    switch self {
    case .file(let path, let line, let column):
      ([path] + [line, column].compactMap { $0.map(String.init) }).joined(separator: ":")
    case .environment(let name), .flag(let name): name
    }
  }

  /// The same source at the place of `mark`; variables and flags have no lines.
  func at(_ mark: Mark?) -> SettingPlace {
    guard case .file(let path, _, _) = self, let mark else { return self }
    return .file(path, line: mark.line, column: mark.column)
  }
}

/// Where the value of a setting comes from.
enum SettingOrigin: Equatable, Sendable, CustomStringConvertible {
  /// Nobody said anything.
  case standard
  case given(SettingPlace)

  /// `default`, `cf-bench.yaml:3`, `CF_BENCH_PYTHON` or `--python`.
  var description: String {
    switch self {
    case .standard: "default"
    case .given(.file(let path, let line, _)): SettingPlace.file(path, line: line, column: nil).description
    case .given(let place): place.description
    }
  }
}
