import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

/// A benchmark host with a person's home beside the agent's, in which a job's code tries what it must not.
struct ConfinedJob {
  let folder: String
  var person: String { folder + "/person" }
  var far: String { folder + "/far" }
  var extra: [String: String] = [:]

  init(in folder: String) throws {
    self.folder = folder
    for (name, text) in [
      ("person/.ssh/id_ed25519", "the private key"), ("person/.ssh/authorized_keys", "keys\n"),
      ("person/.netrc", "login"), ("person/.azure/tokens.json", "{}"), ("person/.bashrc", "# shell\n"),
      ("far/jobs/other/manifest.json", "{}"), ("far/jobs/other/journal.ndjson", "x\n"),
      ("far/agents/sha/cf-bench-agent", "#!/bin/sh\n"),
    ] {
      let url = URL(filePath: "\(folder)/\(name)")
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
  }

  var environment: [String: String] {
    let own = ProcessInfo.processInfo.environment
    let home = own["HOME"] ?? "/root"
    return [
      "PATH": "\(SchemaValidator.packageRoot.path)/.tools/bin:" + (own["PATH"] ?? "/usr/bin:/bin"), "HOME": person,
      "CF_BENCH_HOME": far, "CF_BENCH_LOCK": folder + "/lock",
      // What is downloaded and installed on this machine already is used, wherever the person's home is.
      "UV_CACHE_DIR": own["UV_CACHE_DIR"] ?? home + "/.cache/uv", "PYENV_ROOT": own["PYENV_ROOT"] ?? home + "/.pyenv",
      "UV_PYTHON_INSTALL_DIR": own["UV_PYTHON_INSTALL_DIR"] ?? home + "/.local/share/uv/python",
    ].merging(own.filter { $0.key.hasPrefix("SSL_CERT") }) { own, _ in own }.merging(extra) { $1 }
  }

  /// A manifest whose one command is a Python program.
  func manifest(_ name: String, program: String, arguments: [String] = [], blocks: Int = 2) throws -> JobManifest {
    var manifest = try Manifests.sleeping(name: name, blocks: blocks)
    let command = StartupCommand(name: "command", arguments: ["python", "-c", program] + arguments, isControl: false)
    manifest.layers.startup = StartupPlan(
      commands: [command], blocks: blocks, warmupRuns: 0, importRuns: 1, timeoutSeconds: 300)
    return manifest
  }

  /// Submits and follows to the end.
  func run(_ manifest: JobManifest, secrets: [String: String]? = nil) throws -> [AgentMessage] {
    let requests = [
      AgentRequest.submit(SubmitRequest(manifest: manifest, secrets: secrets)),
      .attach(AttachRequest(job: manifest.id, after: 0)),
    ]
    let outcome = try ChildProcess(
      program: try BuiltProduct.path("cf-bench-agent"), arguments: ["serve"], environment: environment,
      directory: "/", input: try requests.flatMap { try $0.line() }, limitSeconds: 100
    ).run()
    var framer = LineFramer()
    return try framer.lines(of: outcome.output).map { line in try line.withUnsafeBytes { try AgentMessage(line: $0) } }
  }

  func events(_ messages: [AgentMessage]) throws -> [JobEvent] {
    try messages.compactMap { if case .event(_, let line) = $0 { try NumberedEvent(line: line).event } else { nil } }
  }

  func text(_ name: String) throws -> String { try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) }
}

extension [JobEvent] {
  var troubles: [Problem] { compactMap { if case .trouble(let trouble) = $0 { trouble.problem } else { nil } } }
  var samples: Int { count { if case .sample = $0 { true } else { false } } }
  var finished: Finished? { if case .finished(let finished) = last { finished } else { nil } }
  var phases: [String] { compactMap { if case .phase(let phase) = $0 { phase.text } else { nil } } }
}
