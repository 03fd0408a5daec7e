import Foundation
import Shared

/// Lines that a workflow's runner takes for commands. Source: GitHub's "Workflow commands for GitHub Actions".
///
/// The runner reads every line that a step prints, also those that only quote what measured code said. Between ``stop(_:)``
/// and ``resume(_:)`` it takes none for a command; the word that ends that time is random, so nobody else can say it.
public enum WorkflowCommands {
  /// A word that nobody else knows.
  public static func token() -> String {
    (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
  }

  public static func stop(_ token: String) -> String { "::stop-commands::\(token)" }
  public static func resume(_ token: String) -> String { "::\(token)::" }
  public static func mask(_ secret: String) -> [String] {
    // A command is one line: of a secret of several, each is masked.
    secret.split(whereSeparator: \.isNewline).map { "::add-mask::\(data(String($0)))" }
  }
  public static func group(_ title: String) -> String { "::group::\(data(title))" }
  public static let endGroup = "::endgroup::"

  public static func line(_ annotation: Annotation) -> String {
    var properties: [String] = []
    if let place = annotation.place {
      properties.append("file=\(property(place.file))")
      if place.line > 0 { properties.append("line=\(place.line)") }
    }
    properties.append("title=\(property(annotation.title))")
    return "::\(annotation.kind.rawValue) \(properties.joined(separator: ","))::\(data(annotation.message))"
  }

  static func data(_ text: String) -> String {
    escaped(text, "%\r\n")
  }

  static func property(_ text: String) -> String {
    escaped(text, "%\r\n:,")
  }

  /// Byte by byte: a carriage return and a line feed are one `Character`, and two of the runner's.
  private static func escaped(_ text: String, _ special: String) -> String {
    let special = Set(special.utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      guard special.contains(byte) else {
        bytes.append(byte)
        continue
      }
      let hex = String(byte, radix: 16, uppercase: true)
      bytes += Array("%\(hex.count == 1 ? "0" : "")\(hex)".utf8)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A remark that GitHub shows at the top of a run, and at a line of a file where that is known.
public struct Annotation: Equatable, Sendable {
  public enum Kind: String, CaseIterable, Sendable { case error, warning, notice }

  public struct Place: Equatable, Sendable {
    /// From the repository's top.
    public var file: String
    /// 0 for the file as a whole.
    public var line: Int
    public init(file: String, line: Int) {
      self.file = file
      self.line = line
    }
  }

  public var kind: Kind
  public var title: String
  public var message: String
  public var place: Place?

  public init(kind: Kind, title: String, message: String, place: Place? = nil) {
    self.kind = kind
    self.title = title
    self.message = message
    self.place = place
  }

  /// GitHub shows ten of a kind and step, and drops the rest without a word.
  public static let limit = 10

  /// The first ten of each kind.
  public static func bounded(_ annotations: [Annotation]) -> [Annotation] {
    Kind.allCases.flatMap { kind in annotations.filter { $0.kind == kind }.prefix(limit) }
  }
}

/// The files through which a step hands things on: `GITHUB_OUTPUT` and `GITHUB_STEP_SUMMARY`.
public struct StepFiles: Sendable {
  private let environment: [String: String]

  public init(environment: [String: String]) { self.environment = environment }

  /// GitHub refuses a summary of more than 1 MiB, and then shows nothing of it; some room is for what other commands add.
  public static let summaryLimit = 1_000_000

  /// Each value stands between two lines that no value can hold.
  public func output(_ values: [(name: String, value: String)]) throws {
    guard let path = environment["GITHUB_OUTPUT"], !path.isEmpty else { return }
    var text = ""
    for (name, value) in values {
      var end = WorkflowCommands.token()
      while value.contains(end) { end = WorkflowCommands.token() }
      text += "\(name)<<\(end)\n\(value)\n\(end)\n"
    }
    try append(text, to: path)
  }

  /// How many bytes may still be added to the summary.
  public var summaryRoom: Int {
    guard let path = environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return 0 }
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)  // not there yet: empty
    return max(0, Self.summaryLimit - ((attributes?[.size] as? Int) ?? 0))
  }

  /// - Parameter markdown: not longer than ``summaryRoom``; a longer one is left out, since a cut one may be broken.
  public func summary(_ markdown: String) throws {
    guard let path = environment["GITHUB_STEP_SUMMARY"], !path.isEmpty, markdown.utf8.count < summaryRoom else {
      return
    }
    try append(markdown + "\n", to: path)
  }

  private func append(_ text: String, to path: String) throws {
    guard let file = FileHandle(forWritingAtPath: path) ?? Self.made(path) else {
      throw Problem(
        what: "'\(path)' can't be written", why: "it is where GitHub takes a step's outputs and summary from",
        fix: "run this as a step of a workflow (docs/github.md)", exitStatus: .usage)
    }
    defer { try? file.close() }  // written and synced by then, or an error is on its way
    try file.seekToEnd()
    try file.write(contentsOf: Data(text.utf8))
  }

  private static func made(_ path: String) -> FileHandle? {
    FileManager.default.createFile(atPath: path, contents: nil) ? FileHandle(forWritingAtPath: path) : nil
  }
}
