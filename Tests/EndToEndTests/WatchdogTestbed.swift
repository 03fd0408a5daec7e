import Foundation
import Shared
import Subprocess
import TestSupport
import Testing

/// The VM's watchdog as cloud-init installs it, one look at a time: the time since boot is what a test says it is, and
/// Azure is Tests/CloudInit/metadata.py.
struct WatchdogTestbed {
  var folder: String
  private var files: String
  private var environment: [String: String]
  private var service: Process

  struct Look {
    /// What it wrote, each line without its time.
    var lines: [String]
    var status: Int32
    var decision: String { lines.last ?? "nothing" }
  }

  struct Request: Decodable {
    var what: String
    var tokenInArguments: Bool
  }

  static func with(_ body: (inout WatchdogTestbed) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      var testbed = try WatchdogTestbed(folder: folder)
      defer { testbed.service.terminate() }
      try await body(&testbed)
    }
  }

  private init(folder: String) throws {
    self.folder = folder
    files = folder + "/files"
    for name in ["state", "home/jobs/one", "azure"] {
      try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    try CloudInitFiles.write(into: files)
    environment = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "CF_BENCH_STATE": folder + "/state",
      "CF_BENCH_LOCK": folder + "/lock", "CF_BENCH_HOMES": folder + "/none:" + folder + "/home",
      "CF_BENCH_UPTIME_FILE": folder + "/uptime", "CF_BENCH_WATCHDOG_CONF": folder + "/watchdog.conf",
      "CF_BENCH_LOG": folder + "/watchdog.log", "CF_BENCH_SSH_PORT": "1",
    ]
    service = Process()
    service.executableURL = URL(filePath: "/usr/bin/env")
    service.arguments = ["python3", Testbed.packageRoot + "/Tests/CloudInit/metadata.py", folder + "/azure"]
    service.standardInput = Pipe()
    try answer([:])
    try write("state/provisioned.json", "{}")
    try service.run()
    let deadline = ContinuousClock.now + .seconds(300)
    while !FileManager.default.fileExists(atPath: folder + "/azure/address"), ContinuousClock.now < deadline {
      usleep(10_000)
    }
    let address = try String(contentsOfFile: folder + "/azure/address", encoding: .utf8)
    environment["CF_BENCH_IMDS"] = address
    environment["CF_BENCH_ARM"] = address
  }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }

  /// What Azure answers from now on; metadata.py says which keys there are.
  func answer(_ answers: [String: Any]) throws {
    try JSONSerialization.data(withJSONObject: answers).write(to: URL(filePath: folder + "/azure/answers.json"))
  }

  mutating func set(_ name: String, _ value: String) { environment[name] = value }
  mutating func unset(_ name: String) { environment[name] = nil }
  func endService() {
    service.terminate()
    service.waitUntilExit()
  }

  /// Runs it as its timer does, so many seconds after the boot.
  func look(at uptime: Int) async throws -> Look {
    try write("uptime", "\(uptime).25 \(uptime).00\n")
    let logged = try lines(of: "watchdog.log").count
    let keys = environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
    let result = try await Subprocess.run(
      .name("sh"), arguments: ["-c", #"exec "$0" 2>&1"#, files + "/usr/local/lib/cf-bench/watchdog"],
      environment: .custom(Dictionary(uniqueKeysWithValues: keys)), output: .string(limit: 1 << 20))
    let printed = result.standardOutput
    let status: Int32 = if case .exited(let code) = result.terminationStatus { code } else { -1 }
    let lines = printed.split(separator: "\n").map(String.init)
    let log = try self.lines(of: "watchdog.log")
    #expect(Array(log.dropFirst(log.count < logged ? 0 : logged)) == lines, "the log has what is printed")
    #expect(!printed.contains("only-root-may-have-this"), "\(printed)")
    return Look(
      lines: lines.map { $0.replacing(#/^[-0-9T:]{19}Z /#, with: "") }, status: status)
  }

  private func lines(of name: String) throws -> [String] {
    guard FileManager.default.fileExists(atPath: "\(folder)/\(name)") else { return [] }
    let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
    // What is behind the last newline is still being written.
    return text.prefix(upTo: text.lastIndex(of: "\n") ?? text.startIndex).split(separator: "\n").map(String.init)
  }

  /// What it asked Azure for, in order.
  var requests: [String] {
    get throws {
      try lines(of: "azure/requests.ndjson").map {
        let request = try JSONDecoder().decode(Request.self, from: Data($0.utf8))
        #expect(!request.tokenInArguments, "everybody may read a process's arguments")
        return request.what
      }
    }
  }
  var deallocations: Int { get throws { try requests.count { $0 == "deallocate" } } }

  /// A lease as controllers write it, `seconds` from now.
  static func lease(_ seconds: Double, kind: String = "run") -> String {
    let until = Date(timeIntervalSinceNow: seconds).formatted(Date.ISO8601FormatStyle(timeZone: .gmt))
    return "until=\(until);generation=7;kind=\(kind);owner=alice@laptop"
  }
}
