import CLibrary
import Foundation

/// A stand-in for Azure on loopback, with a VM that is a real sshd (`Tests/StandInAzure`).
public struct StandInAzure: Sendable {
  /// Holds its logs, the VMs' disks and the clients' settings; gone when the stand-in is.
  public let folder: String
  public let ready: Ready

  /// What it says of itself when it listens.
  public struct Ready: Decodable, Sendable {
    /// Azure Resource Manager, over TLS.
    public var arm: String
    /// Where the VM's metadata service is: plain HTTP.
    public var imds: String
    /// The certificate authority's file.
    public var ca: String
    /// Where tests steer it.
    public var control: String
    /// A page that says the caller's address.
    public var addressPage: String
    /// The public price list.
    public var prices: String
    public var sshPort: Int
    public var subscription: String
    public var tenant: String
    public var client: String
    public var pid: Int32
    /// What `az` and cf-bench need to talk to it, and to nobody else: they are signed in.
    public var environment: [String: String]
  }

  public struct Options: Sendable {
    public var startSeconds = 1.0
    public var deallocateSeconds = 1.0
    /// From running to a listening sshd.
    public var bootSeconds = 0.3
    /// A free one if nil.
    public var sshPort: Int?
    /// Public keys that every VM takes, besides the one it is created with.
    public var authorizedKeys: [String] = []
    /// sshd listens only while a rule lets the caller in.
    public var enforcesRules = false
    /// A program that the VM runs as its timer would, and how often in seconds.
    public var watchdog: String?
    public var watchdogEvery = 1.0
    public var watchdogEnvironment: [String: String] = [:]
    /// Any other option of its command line.
    public var more: [String] = []

    public init() {}

    var arguments: [String] {
      var list = ["--start-seconds", "\(startSeconds)", "--deallocate-seconds", "\(deallocateSeconds)"]
      list += ["--boot-seconds", "\(bootSeconds)"]
      if let sshPort { list += ["--ssh-port", "\(sshPort)"] }
      for key in authorizedKeys { list += ["--authorized-key", key] }
      if enforcesRules { list.append("--enforce-rules") }
      if let watchdog { list += ["--watchdog", watchdog, "--watchdog-every", "\(watchdogEvery)"] }
      for (name, value) in watchdogEnvironment { list += ["--watchdog-env", "\(name)=\(value)"] }
      return list + more
    }
  }

  /// Has a stand-in for the length of `body`. It and all processes of its VMs end on return and throw, and also when this
  /// process is killed: it reads a pipe that only this process writes.
  public static func with<Result>(
    _ options: Options = .init(), _ body: (StandInAzure) async throws -> Result
  ) async throws -> Result {
    try await withTemporaryFolder { folder in
      let process = try StandInProcess("StandInAzure", folder: folder, options.arguments)
      defer { process.end() }
      let stand = StandInAzure(folder: folder, ready: try await process.ready(Ready.self))
      return try await body(stand)
    }
  }
}

/// The program of a stand-in, and the pipe that it lives by.
final class StandInProcess {
  private let process = Process()
  private let name: String
  private let folder: String
  /// The only writing end of its input.
  private let lifetimePipe: Int32

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// - Parameter name: Its folder in `Tests`.
  init(_ name: String, folder: String, _ arguments: [String] = []) throws {
    self.name = name
    self.folder = folder
    guard let pipe = makePipe() else { throw Failure(description: String(cString: strerror(errno))) }
    lifetimePipe = pipe.writer
    let input = FileHandle(fileDescriptor: pipe.reader, closeOnDealloc: true)
    let program = SchemaValidator.packageRoot.appending(path: "Tests/\(name)").path
    try Data().write(to: URL(filePath: folder + "/output"))
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", program, "--folder", folder] + arguments
    process.standardInput = input
    process.standardOutput = FileHandle(forWritingAtPath: folder + "/output")
    process.standardError = process.standardOutput
    try process.run()
    try? input.close()
  }

  func ready<Ready: Decodable>(_: Ready.Type) async throws -> Ready {
    let deadline = ContinuousClock.now + .seconds(30)
    while !FileManager.default.fileExists(atPath: folder + "/ready.json") {
      guard process.isRunning, ContinuousClock.now < deadline else {
        let output = (try? String(contentsOfFile: folder + "/output", encoding: .utf8)) ?? ""
        throw Failure(description: "\(name) does not come up: \(output)")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    let decoder = JSONDecoder()
    let keys: @Sendable ([any CodingKey]) -> any CodingKey = { path in
      // Names of variables stay as they are: only our own fields are written with underscores.
      path.count == 1 ? FieldName(path[0].stringValue) : path[path.count - 1]
    }
    decoder.keyDecodingStrategy = .custom(keys)
    return try decoder.decode(Ready.self, from: Data(contentsOf: URL(filePath: folder + "/ready.json")))
  }

  func end() {
    close(lifetimePipe)
    let deadline = ContinuousClock.now + .seconds(10)
    while process.isRunning, ContinuousClock.now < deadline { usleep(2000) }
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }
}

/// A field `ssh_port` as `sshPort`.
struct FieldName: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }

  init(_ name: String) {
    let words = name.split(separator: "_")
    stringValue = words.prefix(1).joined() + words.dropFirst().map(\.capitalized).joined()
  }

  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}
