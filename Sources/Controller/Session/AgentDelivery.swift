import SSH
import Shared

/// Brings files to the far end over a connection, checks them there, and moves them into place in one rename.
///
/// Every command is one line for `sh`, in single quotes, so that it means the same to any login shell. The only thing
/// put into it is a SHA-256: 64 hexadecimal digits.
enum AgentDelivery {
  private static let home = #"h="${CF_BENCH_HOME:-$HOME/.cf-bench}""#
  /// Printed on standard error by ``serveCommand(sha256:)`` when that agent is not installed.
  static let missingMark = "cf-bench-agent-missing"
  private static let damagedMark = "cf-bench-upload-damaged"

  /// Starts the agent of that digest, or says that it is not there and exits with 127.
  static func serveCommand(sha256: String) -> String {
    "exec sh -c '\(home); a=\"$h/agents/\(sha256)/cf-bench-agent\"; if [ -f \"$a\" ]; then exec \"$a\" serve; fi;"
      + " echo \(missingMark) >&2; exit 127'"
  }

  /// Installs the agent under its digest.
  static func installAgent(_ agent: AgentBinary, over connection: SSHConnection, to machine: String) async throws {
    try await send(
      file: agent.path, bytes: agent.bytes, sha256: agent.sha256, folder: "agents/\(agent.sha256)",
      name: "cf-bench-agent", mode: "700", over: connection, to: machine)
  }

  static func send(_ upload: Upload, over connection: SSHConnection, to machine: String) async throws {
    try await send(
      file: upload.path, bytes: upload.bytes, sha256: upload.id.sha256, folder: "uploads", name: upload.id.sha256,
      mode: "600", over: connection, to: machine)
  }

  /// Takes an archive of that digest and unpacks it into `~/bench`; a damaged one changes nothing there.
  static func unpackCommand(sha256: String) -> String {
    "exec sh -c 'set -eu; LC_ALL=C; export LC_ALL; umask 022; d=\"${CF_BENCH_BENCH:-$HOME/bench}\"; mkdir -p \"$d\";"
      + " t=\"$d/.incoming.$$\"; trap \"rm -f \\\"$t\\\"\" EXIT; cat >\"$t\"; s=$(sha256sum <\"$t\");"
      + " if [ \"${s%% *}\" != \(sha256) ]; then echo \(damagedMark) >&2; exit 65; fi; tar -xzf \"$t\" -C \"$d\"'"
  }

  private static func send(
    file: String, bytes: Int, sha256: String, folder: String, name: String, mode: String,
    over connection: SSHConnection, to machine: String
  ) async throws {
    let command =
      "exec sh -c 'set -eu; LC_ALL=C; export LC_ALL; umask 077; \(home); d=\"$h/\(folder)\"; mkdir -p \"$d\";"
      + " t=\"$d/.incoming.$$\"; trap \"rm -f \\\"$t\\\"\" EXIT; cat >\"$t\"; s=$(sha256sum <\"$t\");"
      + " if [ \"${s%% *}\" != \(sha256) ]; then echo \(damagedMark) >&2; exit 65; fi;"
      + " chmod \(mode) \"$t\"; mv -f \"$t\" \"$d/\(name)\"'"
    // A slow line is given ten seconds a mebibyte, on top of half a minute.
    let limit = Duration.seconds(30 + 10 * (bytes >> 20))
    var output = try await connection.run(command, inputFile: file, outputLimit: 64 << 10, limit: limit)
    if output.exit != .status(0), String(decoding: output.standardError, as: UTF8.self).contains(damagedMark) {
      output = try await connection.run(command, inputFile: file, outputLimit: 64 << 10, limit: limit)  // once more
    }
    guard output.exit == .status(0) else {
      throw DeliveryError(machine: machine, words: String(decoding: output.standardError, as: UTF8.self))
    }
  }
}

/// The far end did not take a file.
struct DeliveryError: UserFacingError {
  var machine: String
  /// What the far end's shell said, in the C locale.
  var words: String

  private var cause: Cause { Cause.allCases.first { words.contains($0.rawValue) } ?? .other }

  private enum Cause: String, CaseIterable {
    case full = "No space left on device"
    case quota = "Disk quota exceeded"
    case readOnly = "Read-only file system"
    case denied = "Permission denied"
    case noDigest = "sha256sum: not found"
    case damaged = "cf-bench-upload-damaged"
    case other = ""
  }

  var what: String {
    switch cause {
    case .full, .quota: "the disk of \(machine) is full"
    case .damaged: "a file arrived damaged at \(machine), twice"
    default: "can't install a file at \(machine)"
    }
  }
  var why: String? { words.isEmpty ? "the far end's shell ended without a word" : words }
  var fix: String {
    switch cause {
    case .full, .quota:
      "make room there: old jobs, environments and checkouts lie in ~/.cf-bench and may be deleted; 'df -h ~' shows the disk"
    case .readOnly, .denied: "make ~/.cf-bench writable there, or set CF_BENCH_HOME for that login to a folder that is"
    case .noDigest: "install coreutils there"
    case .damaged:
      "check the network; SSH itself protects what it carries, so a full or failing disk there is more likely"
    case .other: "log in there and try: sh -c 'mkdir -p ~/.cf-bench && touch ~/.cf-bench/x'"
    }
  }
  var exitStatus: ExitStatus { .infrastructure }
}
