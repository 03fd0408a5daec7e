import CLibrary
import Foundation
import Shared
import Subprocess
import SystemPackage

/// Runs `az`, `gh` or `curl` to its end, in a session of its own: a Ctrl-C at the terminal is for cf-bench, which decides
/// itself which of its calls are given up.
public struct ChildTool: Sendable {
  public var program: String
  public var environment: [String: String]

  public init(program: String, environment: [String: String]) {
    self.program = program
    self.environment = environment
  }

  /// How a program ended and what it wrote.
  public struct Output: Sendable {
    public enum Ending: Sendable, Equatable {
      case status(Int)
      case signal(Int)
    }
    public var ending: Ending
    public var output: String
    public var error: String

    public init(_ ending: Ending = .status(0), output: String = "", error: String = "") {
      self.ending = ending
      self.output = output
      self.error = error
    }

    public var succeeded: Bool { ending == .status(0) }

    /// Why it failed: what it wrote on standard error, or how it ended where it wrote nothing there.
    public var reason: String { error.contains { !$0.isWhitespace } ? error : "it \(ending.words) and said nothing" }
  }

  /// Bytes of each output that are read.
  static let answerLimit = 32 << 20

  /// Ends with the program itself: what the program started and left behind may go on.
  /// - Parameter input: what the program reads; secrets travel this way, since arguments can be read by every user.
  /// - Throws: ``LimitPassed``, after which the program and its process group are gone; ``ToolFailure``.
  public func run(_ arguments: [String], input: String = "", limit: Duration) async throws -> Output {
    let name = program.split(separator: "/").last.map(String.init) ?? program
    return try await withLimit(limit, waitingFor: "'\(name) \(arguments.prefix(2).joined(separator: " "))'") {
      var options = PlatformOptions()
      options.createSession = true
      options.teardownSequence = [
        .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(500))
      ]
      do {
        let result = try await Subprocess.run(
          program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
          environment: .custom(
            Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1) })),
          platformOptions: options, input: .fileDescriptor(try Self.file(of: input), closeAfterSpawningProcess: true),
          output: .string(limit: Self.answerLimit), error: .string(limit: Self.answerLimit))
        let ending: Output.Ending =
          switch result.terminationStatus {
          case .exited(let code): .status(Int(code))
          case .signaled(let signal): .signal(Int(signal))
          }
        return Output(ending, output: result.standardOutput, error: result.standardError)
      } catch let error as SubprocessError { throw ToolFailure(program: program, cause: cause(of: error)) } catch let
        error as Errno
      { throw ToolFailure(program: program, cause: .system("no room for what it is to read: \(error)")) }
    }
  }

  /// A file without a name that holds the input: a program that does not read it to its end breaks no pipe.
  private static func file(of input: String) throws -> FileDescriptor {
    if input.isEmpty { return try FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec) }
    let folder = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    let path = FilePath("\(folder)/cf-bench-\(UUID().uuidString)")
    let file = try FileDescriptor.open(
      path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
    unlink(path.string)
    try file.writeAll(input.utf8)
    try file.seek(offset: 0, from: .start)
    return file
  }

  /// The system says ENOENT for a program that is not there and for one whose interpreter is not.
  private func cause(of error: SubprocessError) -> ToolFailure.Cause {
    if error.code == .outputLimitExceeded { return .tooLarge(limit: Self.answerLimit) }
    guard [.executableNotFound, .spawnFailed].contains(error.code) else { return .system("\(error)") }
    let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    let places = program.contains("/") ? [program] : folders.map { "\($0)/\(program)" }
    let found = places.filter(FileManager.default.fileExists)
    guard let path = found.first(where: FileManager.default.isExecutableFile) ?? found.first else { return .notFound }
    guard FileManager.default.isExecutableFile(atPath: path) else { return .notExecutable(path: path) }
    let ofTheFile: [Errno?] = [nil, .noSuchFileOrDirectory, .permissionDenied, .execFormatError]
    guard ofTheFile.contains(error.underlyingError) else { return .system("\(error)") }
    return .notRunnable(path: path, words: error.underlyingError.map { "\($0)" } ?? "\(error)")
  }
}

extension ChildTool.Output.Ending {
  /// `ended with exit status 1`, `was killed by signal 9 (Killed)`.
  public var words: String {
    switch self {
    case .status(let code): "ended with exit status \(code)"
    case .signal(let number): "was killed by signal \(number) (\(String(cString: strsignal(Int32(number)))))"
    }
  }
}

/// A program of this machine gave no answer.
public struct ToolFailure: UserFacingError, Equatable {
  public enum Cause: Sendable, Equatable {
    case notFound
    case notExecutable(path: String)
    /// It is there and may be run, and yet the system would not, for a missing interpreter for example.
    case notRunnable(path: String, words: String)
    /// The limit is in bytes.
    case tooLarge(limit: Int)
    /// The system refused what reading it takes.
    case system(String)
  }
  public var program: String
  public var cause: Cause

  /// Whether it would have to be installed or put right first.
  public var isMissing: Bool {
    switch cause {
    case .notFound, .notExecutable, .notRunnable: true
    case .tooLarge, .system: false
    }
  }

  public var what: String {
    switch cause {
    case .notFound, .notExecutable, .notRunnable: "the program '\(program)' can't be started"
    case .tooLarge: "the program '\(program)' answered with too much"
    case .system: "the program '\(program)' could not be run"
    }
  }
  public var why: String? {
    switch cause {
    case .notFound: program.contains("/") ? "there is no such file" : "it is in no folder of PATH"
    case .notExecutable(let path): "\(path) is there, but may not be executed"
    case .notRunnable(let path, let words): "\(path) is there, but does not run: \(words)"
    case .tooLarge(let limit): "more than \(limit >> 20) MiB are not read"
    case .system(let words): words
    }
  }
  public var fix: String {
    switch cause {
    case .notFound where program.hasSuffix("gh"): "install GitHub's command line (https://cli.github.com)"
    case .notFound: "sudo apt-get install \(program)"
    case .notExecutable(let path): "chmod +x '\(path)'"
    case .notRunnable: "install it anew: its interpreter, which its first line names, may be gone"
    case .tooLarge: "run it by hand and report what it prints"
    case .system: "try again; look for memory, processes and open files if it stays ('ulimit -a')"
    }
  }
  public var exitStatus: ExitStatus { isMissing ? .usage : .infrastructure }
}
