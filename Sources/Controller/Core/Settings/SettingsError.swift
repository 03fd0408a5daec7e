import Shared
import Yams

/// A mistake in the settings: in the file, a variable or a flag.
struct SettingsError: UserFacingError, Equatable {
  enum Fault: Equatable {
    /// A key that nobody reads. `nearest` is what was probably meant.
    case unknownKey(String, nearest: String?, known: [String])
    /// A key written with dots where the file nests.
    case dottedKey(String)
    /// A value that can't be what the key needs; both in words: `a list`, `a whole number`.
    case wrongValue(key: String, found: String, expected: String)
    /// A list entry without a field that it needs.
    case missingField(String, of: String)
    /// The same key, or the same name in a list, twice.
    case duplicate(String)
    /// A variable that starts with `CF_BENCH_` and that nobody reads.
    case unknownVariable(String, nearest: String?)
    /// Not YAML at all; the parser's words.
    case notYAML(String)
    case missingFile
    /// The file is there, but can't be read; the system's words.
    case unreadableFile(String)
    /// A file of another name where `cf-bench.yaml` is looked for.
    case misnamedFile
  }

  var fault: Fault
  var place: SettingPlace

  var exitStatus: ExitStatus { .usage }

  var what: String {
    switch fault {
    case .unknownKey(let key, _, _): "\(place): there is no key '\(key)'"
    case .dottedKey(let key): "\(place): '\(key)' is written with dots"
    case .wrongValue(let key, let found, _): "\(place): '\(key)' can't be \(found)"
    case .missingField(let field, let owner): "\(place): '\(owner)' has no '\(field)'"
    case .duplicate(let key): "\(place): '\(key)' is set twice"
    case .unknownVariable: "unknown environment variable \(place)"
    case .notYAML: "\(place): this is not valid YAML"
    case .missingFile: "there is no file '\(place)'"
    case .unreadableFile: "the file '\(place)' can't be read"
    case .misnamedFile: "'\(place)' would not be read: settings are looked for in '\(SettingsFile.name)'"
    }
  }

  var why: String? {
    switch fault {
    case .unknownKey(_, _, let known):
      known.isEmpty ? nil : "the keys here are \(known.joined(separator: ", "))"
    case .dottedKey: "in the file, each dot of a setting's name is a level of nesting"
    case .wrongValue(let key, _, let expected): "'\(key)' takes \(expected)"
    case .unknownVariable: "every variable that starts with \(ProgramVariable.prefix) is read as a setting"
    case .notYAML(let words), .unreadableFile(let words): words
    case .missingField, .duplicate, .missingFile, .misnamedFile: nil
    }
  }

  var fix: String {
    switch fault {
    case .unknownKey(_, let nearest?, _): "did you mean '\(nearest)'? 'cf-bench settings' lists every key"
    case .unknownKey: "remove it, or take one of the keys that 'cf-bench settings' lists"
    case .dottedKey(let key): "write it nested, as in \(Self.nested(key))"
    case .wrongValue: "correct it, or leave it out; 'cf-bench settings' shows what counts then"
    case .missingField(let field, _): "add '\(field): …' to it"
    case .duplicate: "keep one of the two"
    case .unknownVariable(_, let nearest?): "did you mean \(nearest)? Rename it, or unset it"
    case .unknownVariable: "unset it; 'cf-bench settings' lists the variables that exist"
    case .notYAML: "correct that line; the file cf-bench.example.yaml shows every key in place"
    case .missingFile: "check the path, or leave the flag out to use cf-bench.yaml of this repository if there is one"
    case .unreadableFile: "make it a readable text file, or name another one with --config"
    case .misnamedFile: "rename it to '\(SettingsFile.name)', or name it with --config"
    }
  }

  private static func nested(_ key: String) -> String {
    let parts = key.split(separator: ".")
    return "'" + parts.dropLast().map { "\($0): { " }.joined() + "\(parts.last ?? ""): …"
      + String(repeating: " }", count: max(parts.count - 1, 0)) + "'"
  }
}

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
