import CLibrary
import Shared

extension SSHError {
  private var host: String { destination?.hostAndPort ?? "the host" }
  private var login: String { destination?.description ?? "the host" }

  /// What `ssh` needs to be tried by hand.
  private var sshCommand: String {
    guard let destination else { return "ssh -v HOST" }
    let port = destination.port == 22 ? "" : "-p \(destination.port) "
    return "ssh -v \(port)\(destination.user)@\(destination.host)"
  }

  public var what: String {
    switch cause {
    case .invalidDestination(let text, _): "'\(text)' is not an SSH destination"
    case .noAddress: "the host '\(destination?.host ?? "")' has no address"
    case .system: step == .connect ? "cannot connect to \(host)" : "\(stepWords) \(host) failed"
    case .limitPassed(let limit): "\(stepWords) \(host) took longer than \(limit.words)"
    case .commandTooSlow(let command, let limit):
      "a command on \(host) did not end within \(limit.words): \(command.shortened)"
    case .outputTooLong(let command, let limit):
      "a command on \(host) wrote more than \(limit) bytes: \(command.shortened)"
    case .notSSH: "what listens on \(host) is not an SSH server"
    case .noCommonAlgorithm(let kind, _, _): "this machine and \(host) have no \(kind) algorithm in common"
    case .onlyRSAHostKey: "the host key of \(host) cannot be checked, because it is RSA only"
    case .hostKey(let problem, let key): hostKeyWhat(problem, key)
    case .knownHostsUnreadable(let path, _): "the known hosts file \(path) cannot be read"
    case .keyFile(let path, let problem): keyFileWhat(path, problem)
    case .agent(let problem): agentWhat(problem)
    case .keyRefused(let fingerprint, let path, _):
      "\(host) refuses the key \(path ?? "from ssh-agent")\(fingerprint.map { " (\($0))" } ?? "") "
        + "for the user '\(destination?.user ?? "")'"
    case .noWayIn: "login to \(host) as '\(destination?.user ?? "")' failed with every key"
    case .notAllowed: "\(host) did not allow us to \(step == .exec ? "run a command" : "open a channel")"
    case .inputClosed: "the command on \(host) has closed its standard input"
    case .lost: "the connection to \(host) broke"
    case .silent(let limit): "\(host) has been silent for \(limit.words)"
    case .closed: "the connection to \(host) has been closed on our side"
    case .localFile(let path, _): "the file \(path) cannot be read"
    case .library: "\(stepWords) \(host) failed"
    }
  }

  public var why: String? {
    switch cause {
    case .invalidDestination(_, let reason): reason
    case .noAddress(let words): words
    case .system(let code), .knownHostsUnreadable(_, let code), .localFile(_, let code): errnoWords(code)
    case .limitPassed where step == .handshake: "it accepted the connection and then said nothing, or not enough"
    case .notSSH(let said): said.isEmpty ? nil : "it said: \(said)"
    case .noCommonAlgorithm(_, let theirs, let ours):
      "it offers \(theirs.joined(separator: ","))\nwe offer \(ours.joined(separator: ","))"
    case .onlyRSAHostKey:
      "libssh2 before 1.11 checks RSA host keys only with SHA-1, which OpenSSH 8.8 and later do not use"
    case .hostKey(let problem, _): hostKeyWhy(problem)
    case .keyFile(_, let problem): keyFileWhy(problem)
    case .agent(let problem): agentWhy(problem)
    case .keyRefused(_, _, let accepted):
      accepted.isEmpty || accepted.contains("publickey")
        ? "the key is not in that user's authorized_keys there, or the user may not log in"
        : "it accepts only: \(accepted.joined(separator: ", "))"
    case .noWayIn(let reasons): reasons.map(\.what).joined(separator: "\n")
    case .silent: "the network is down, the host is off or overloaded, or its sshd has been stopped"
    case .limitPassed, .commandTooSlow, .outputTooLong, .inputClosed, .closed, .notAllowed, .lost, .library:
      libraryWords
    }
  }

  public var fix: String {
    switch cause {
    case .invalidDestination: "write it as user@host, user@host:port or ssh://user@host:port"
    case .noAddress: "check the name for a typing error, and the network of this computer"
    case .system, .limitPassed, .notSSH:
      "check address and port, that the host is on and that no firewall is in between; compare with: \(sshCommand)"
    case .commandTooSlow: "see on the host what keeps it busy; compare with: \(sshCommand)"
    case .outputTooLong: "run the command by hand to see what it writes: \(sshCommand)"
    case .noCommonAlgorithm: "allow one of ours in /etc/ssh/sshd_config on the host, or update libssh2 here"
    case .onlyRSAHostKey: "make another host key there: sudo ssh-keygen -A && sudo systemctl restart ssh"
    case .hostKey(let problem, let key): hostKeyFix(problem, key)
    case .knownHostsUnreadable(let path, _): "make it readable for yourself: chmod u+r \(path)"
    case .keyFile(let path, let problem): keyFileFix(path, problem)
    case .agent(let problem): agentFix(problem)
    case .keyRefused(_, let path, _): copyKeyFix(path)
    case .noWayIn(let reasons):
      reasons.first { if case .keyRefused = $0.cause { true } else { false } }?.fix
        ?? reasons.first?.fix ?? "name a key file or start ssh-agent"
    case .notAllowed:
      "raise MaxSessions in /etc/ssh/sshd_config on the host, or lift the restriction on this key in authorized_keys"
    case .inputClosed: "look at the command's error output and exit status"
    case .lost: "try again; if it happens again look at sshd's log on the host (journalctl -u ssh)"
    case .silent: "check that the host is up, then try again"
    case .closed: "connect again"
    case .localFile(let path, _): "check that it is there and readable: ls -l \(path)"
    case .library: "try again; compare with: \(sshCommand)"
    }
  }

  private var stepWords: String {
    switch step {
    case .parse: "reading the address of"
    case .resolve: "finding the address of"
    case .connect: "connecting to"
    case .handshake: "the SSH handshake with"
    case .hostKey: "checking the host key of"
    case .authenticate: "logging in to"
    case .openChannel: "opening a channel to"
    case .exec: "starting a command on"
    case .transfer: "talking to"
    case .close: "closing the connection to"
    }
  }

  private var libraryWords: String? {
    guard let code else { return nil }
    return "libssh2 says: \(words.flatMap { $0.isEmpty ? nil : $0 } ?? "no words") (\(code))"
  }
}

/// strerror(3), which is safe to call from any thread with glibc and Darwin.
func errnoWords(_ code: Int32) -> String {
  guard let words = strerror(code) else { return "error \(code)" }
  return String(cString: words)
}

extension String {
  /// At most 80 characters of a command, for an error of one line.
  fileprivate var shortened: String { count <= 80 ? self : prefix(79) + "…" }
}
