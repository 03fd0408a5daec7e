import Shared

/// The words for host keys, key files and ssh-agent.
extension SSHError {
  private var name: String { destination?.hostAndPort ?? "the host" }
  private var knownName: String { destination?.knownHostsName ?? "HOST" }

  func hostKeyWhat(_ problem: HostKeyProblem, _ key: HostKey) -> String {
    switch problem {
    case .unknown: "the host \(name) is not known; its \(key.type) key is \(key.fingerprint)"
    case .changed: "the host key of \(name) has changed; it now shows \(key.type) \(key.fingerprint)"
    case .otherType: "the host \(name) shows a \(key.type) key that is not known: \(key.fingerprint)"
    case .revoked: "the host key of \(name) is revoked: \(key.type) \(key.fingerprint)"
    }
  }

  func hostKeyWhy(_ problem: HostKeyProblem) -> String {
    switch problem {
    case .unknown(let files):
      files.isEmpty ? "no known hosts file is set" : "there is no line for it in \(files.joined(separator: ", "))"
    case .changed(let file, let line):
      "\(file) line \(line) holds another key: the machine was set up anew, or someone is in between"
    case .otherType(let known, let file, let line):
      "\(file) line \(line) knows it only by \(known.joined(separator: ", "))"
    case .revoked(let file, let line): "\(file) line \(line) marks it @revoked"
    }
  }

  func hostKeyFix(_ problem: HostKeyProblem, _ key: HostKey) -> String {
    let port = destination.map { $0.port == 22 ? "" : "-p \($0.port) " } ?? ""
    let host = destination?.host ?? "HOST"
    let compare =
      "compare the fingerprint with the one the machine itself prints (on its own console: "
      + "for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done)"
    func scan(into file: String) -> String {
      "ssh-keyscan \(port)-t \(key.keyscanType) \(host) >> \(file)"
    }
    switch problem {
    case .unknown(let files): return "\(compare); if it is the same: \(scan(into: files.first ?? "~/.ssh/known_hosts"))"
    case .otherType(_, let file, _): return "\(compare); if it is the same: \(scan(into: file))"
    case .changed(let file, _):
      return "\(compare); only if it is the same: ssh-keygen -R '\(knownName)' -f \(file) && \(scan(into: file))"
    case .revoked: return "do not use this host; give the machine a new key: ssh-keygen -A on its own console"
    }
  }

  func keyFileWhat(_ path: String, _ problem: KeyFileProblem) -> String {
    switch problem {
    case .missing: "there is no key file \(path)"
    case .unreadable: "the key file \(path) cannot be read"
    case .tooOpen: "the key file \(path) is open to others"
    case .notAKey: "\(path) is not a private key"
    case .isPublicKey: "\(path) is the public half of a key"
    case .isPuTTYKey: "\(path) is a key in PuTTY's format"
    case .needsPassphrase: "the key \(path) needs a passphrase"
    case .wrongPassphrase: "the passphrase for the key \(path) is wrong"
    case .rsaNeedsNewerLibrary: "the RSA key \(path) cannot be used with \(name)"
    case .unsupportedCipher(let cipher): "the key \(path) is encrypted with \(cipher), which libssh2 cannot read"
    case .unsupportedType(let type): "the key \(path) is of the type \(type), which libssh2 cannot use"
    }
  }

  func keyFileWhy(_ problem: KeyFileProblem) -> String? {
    switch problem {
    case .unreadable(let code): errnoWords(code)
    case .tooOpen(let mode): "its mode is \(String(mode, radix: 8)); a private key must be its owner's alone"
    case .needsPassphrase: "it is encrypted, and no passphrase was given"
    case .rsaNeedsNewerLibrary(let version): Self.rsaWords(version)
    case .missing, .notAKey, .isPublicKey, .isPuTTYKey, .wrongPassphrase, .unsupportedCipher, .unsupportedType:
      code.map { "libssh2 says: \(words ?? "no words") (\($0))" }
    }
  }

  func keyFileFix(_ path: String, _ problem: KeyFileProblem) -> String {
    switch problem {
    case .missing: "name another file, or make a key: ssh-keygen -t ed25519 -f \(path)"
    case .unreadable: "make it readable for yourself alone: chmod 600 \(path)"
    case .tooOpen: "chmod 600 \(path)"
    case .notAKey: "name a private key; ssh-keygen -t ed25519 makes one"
    case .isPublicKey:
      "name the private half\(path.hasSuffix(".pub") ? ": \(path.dropLast(4))" : ", the file without .pub")"
    case .isPuTTYKey: "convert it: puttygen \(path) -O private-openssh -o NEW_FILE"
    case .needsPassphrase:
      "give the passphrase in the environment variable CF_BENCH_KEY_PASSPHRASE, or let ssh-agent hold the key: ssh-add \(path)"
    case .wrongPassphrase: "try it by hand: ssh-keygen -y -f \(path)"
    case .rsaNeedsNewerLibrary: Self.newKeyWords
    case .unsupportedCipher: "encrypt it anew: ssh-keygen -p -Z aes256-ctr -f \(path)"
    case .unsupportedType: Self.newKeyWords
    }
  }

  func agentWhat(_ problem: AgentProblem) -> String {
    switch problem {
    case .notSet: "there is no ssh-agent"
    case .unreachable(let path, _): "ssh-agent cannot be reached at \(path)"
    case .silent(let limit): "ssh-agent did not answer within \(limit.words)"
    case .broken: "ssh-agent gave no sense"
    case .noKeys: "ssh-agent holds no key"
    case .lacksKey(let file): "ssh-agent does not hold the key of \(file)"
    case .onlyRSA: "ssh-agent holds only RSA keys, which cannot be used with \(name)"
    case .refusedToSign(let fingerprint): "ssh-agent refused to sign with the key \(fingerprint)"
    }
  }

  func agentWhy(_ problem: AgentProblem) -> String? {
    switch problem {
    case .notSet: "SSH_AUTH_SOCK is not set"
    case .unreachable(_, let code): errnoWords(code)
    case .silent: "it has been stopped, or it waits for a person to confirm"
    case .onlyRSA(let version): Self.rsaWords(version)
    case .broken, .noKeys, .lacksKey, .refusedToSign: nil
    }
  }

  func agentFix(_ problem: AgentProblem) -> String {
    switch problem {
    case .notSet, .unreachable: "start one: eval \"$(ssh-agent)\" && ssh-add, or name a key file"
    case .silent: "see whether 'ssh-add -l' answers; start a new agent if it does not"
    case .broken: "check that SSH_AUTH_SOCK is the socket of an ssh-agent: ssh-add -l"
    case .noKeys: "add one: ssh-add ~/.ssh/id_ed25519"
    case .lacksKey(let file): "add it: ssh-add \(file.hasSuffix(".pub") ? String(file.dropLast(4)) : file)"
    case .onlyRSA: Self.newKeyWords
    case .refusedToSign: "it may be locked (ssh-add -X) or want a confirmation; see: ssh-add -l"
    }
  }

  func copyKeyFix(_ path: String?) -> String {
    let port = destination.map { $0.port == 22 ? "" : "-p \($0.port) " } ?? ""
    let login = destination.map { "\($0.user)@\($0.host)" } ?? "USER@HOST"
    return "ssh-copy-id \(path.map { "-i \($0) " } ?? "")\(port)\(login), or check the user's name"
  }

  static func rsaWords(_ version: String) -> String {
    "libssh2 \(version) signs RSA with SHA-1, which OpenSSH ≥ 8.8 refuses"
  }

  private static let newKeyWords =
    "make an ed25519 key: ssh-keygen -t ed25519 -f ~/.ssh/id_ed25519, and add its .pub file to authorized_keys on the host"
}
