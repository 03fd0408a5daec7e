import SSH
import Shared

/// Brings files to the benchmark host, where they are checked and moved into place in one rename: the first agent by a shell,
/// all else over an agent's own session.
///
/// Every command is one line for `sh`, in single quotes, so that it means the same to any login shell. The only thing
/// put into it is a SHA-256: 64 hexadecimal digits.
enum AgentDelivery {
  private static let home = #"h="${CF_BENCH_HOME:-$HOME/.cf-bench}""#
  /// Printed on standard error by ``serveCommand(sha256:)`` when that agent is not installed.
  static let missingMark = "cf-bench-agent-missing"
  private static let damagedMark = "cf-bench-upload-damaged"

  /// Starts the agent of that digest, or says that it is not there, and what the machine is, and exits with 127.
  /// - Parameter isNew: it was installed just now, and becomes the one that the stable name leads to.
  static func serveCommand(sha256: String, isNew: Bool = false) -> String {
    "exec sh -c '\(home); a=\"$h/agents/\(sha256)/cf-bench-agent\";"
      + " if [ -f \"$a\" ]; then exec \(isNew ? "env CF_BENCH_AS_DEFAULT=1 " : "")\"$a\" serve; fi;"
      + " echo \(missingMark) $(uname -s) $(uname -m) >&2; exit 127'"
  }

  /// Installs the agent under its digest.
  static func installAgent(_ agent: AgentBinary, over connection: SSHConnection, to machine: String) async throws {
    let command =
      "exec sh -c 'set -eu; LC_ALL=C; export LC_ALL; umask 077; \(home); d=\"$h/agents/\(agent.sha256)\"; mkdir -p \"$d\";"
      + " t=\"$d/.incoming.$$\"; trap \"rm -f \\\"$t\\\"\" EXIT; cat >\"$t\"; s=$(sha256sum <\"$t\");"
      + " if [ \"${s%% *}\" != \(agent.sha256) ]; then echo \(damagedMark) >&2; exit 65; fi;"
      + " chmod 700 \"$t\"; mv -f \"$t\" \"$d/cf-bench-agent\"'"
    // A slow line is given ten seconds a mebibyte, on top of half a minute.
    let limit = Duration.seconds(30 + 10 * (agent.bytes >> 20))
    var output = try await connection.run(command, inputFile: agent.path, outputLimit: 64 << 10, limit: limit)
    if output.exit != .status(0), String(decoding: output.standardError, as: UTF8.self).contains(damagedMark) {
      // Once more: SSH protects what it carries, so that this is rare.
      output = try await connection.run(command, inputFile: agent.path, outputLimit: 64 << 10, limit: limit)
    }
    guard output.exit == .status(0) else {
      throw DeliveryError(machine: machine, words: String(decoding: output.standardError, as: UTF8.self))
    }
  }

  /// Sends what a job needs over the session itself: whoever answers there takes it, with or without a shell behind the key.
  static func send(_ upload: Upload, in session: AgentSession) async throws {
    guard session.takesFiles else {
      throw Problem(
        what: "can't send a file to \(session.machine)",
        why: "its key starts only an agent of an older release, which accepts no files",
        fix: "install this release's agent there once, with a key that may start a shell: cf-bench doctor --machine …",
        exitStatus: .infrastructure)
    }
    try await session.deliver(upload.path, bytes: upload.bytes, as: upload.id.sha256, kind: .upload)
  }

  /// Takes an archive of that digest and unpacks it into `~/bench`; a damaged one changes nothing there.
  static func unpackCommand(sha256: String) -> String {
    "exec sh -c 'set -eu; LC_ALL=C; export LC_ALL; umask 022; d=\"${CF_BENCH_BENCH:-$HOME/bench}\"; mkdir -p \"$d\";"
      + " t=\"$d/.incoming.$$\"; trap \"rm -f \\\"$t\\\"\" EXIT; cat >\"$t\"; s=$(sha256sum <\"$t\");"
      + " if [ \"${s%% *}\" != \(sha256) ]; then echo \(damagedMark) >&2; exit 65; fi; tar -xzf \"$t\" -C \"$d\"'"
  }
}

/// The benchmark host did not take a file.
struct DeliveryError: UserFacingError {
  var machine: String
  /// What the benchmark host's shell said, in the C locale.
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
  var why: String? { words.isEmpty ? "the benchmark host's shell ended without a word" : words }
  var fix: String {
    switch cause {
    case .full, .quota:
      "make room there: old jobs, environments and checkouts lie in ~/.cf-bench and may be deleted; 'df -h ~' shows the disk"
    case .readOnly, .denied: "make ~/.cf-bench writable there, or set CF_BENCH_HOME for that login to a folder that is"
    case .noDigest: "install coreutils there"
    case .damaged:
      "check the network; SSH itself protects what it carries, so a full or failing disk there is more likely"
    case .other: "log in there and run: sh -c 'mkdir -p ~/.cf-bench && touch ~/.cf-bench/x'"
    }
  }
  var exitStatus: ExitStatus { .infrastructure }
}
