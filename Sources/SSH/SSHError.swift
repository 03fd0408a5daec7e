import Shared

/// What went wrong on the way to, or with, a host. Holds values; ``what``, ``why`` and ``fix`` make sentences of them.
public struct SSHError: UserFacingError, Equatable {
  /// Where on the way it happened.
  public enum Step: String, Sendable, Equatable {
    case parse, resolve, connect, handshake, hostKey, authenticate, openChannel, exec, transfer, close
  }

  public var step: Step
  /// The host concerned; `nil` only before there is one.
  public var destination: SSHDestination?
  public var cause: Cause
  /// libssh2's error code, when libssh2 had a say.
  public var code: Int32?
  /// libssh2's words to the code.
  public var words: String?

  init(
    step: Step, destination: SSHDestination? = nil, cause: Cause, code: Int32? = nil, words: String? = nil
  ) {
    self.step = step
    self.destination = destination
    self.cause = cause
    self.code = code
    self.words = words
  }

  /// The same error, told of this host unless it has one.
  func at(_ destination: SSHDestination) -> SSHError {
    var copy = self
    copy.destination = self.destination ?? destination
    if case .noWayIn(let reasons) = cause { copy.cause = .noWayIn(reasons.map { $0.at(destination) }) }
    return copy
  }

  public var exitStatus: ExitStatus { step == .parse ? .usage : .infrastructure }
}

extension SSHError {
  /// Why a step failed.
  public indirect enum Cause: Sendable, Equatable {
    case invalidDestination(String, reason: String)
    /// A system call failed with this errno.
    case system(Int32)
    /// getaddrinfo(3) found no address; its words.
    case noAddress(String)
    /// The limit of the step passed.
    case limitPassed(Duration)
    /// A command did not end within its limit.
    case commandTooSlow(String, limit: Duration)
    /// A command wrote more than its reader was ready to keep.
    case outputTooLong(String, limit: Int)
    /// Something else than SSH listens there; the first line it said.
    case notSSH(said: String)
    /// The two sides share no algorithm of this kind.
    case noCommonAlgorithm(kind: String, theirs: [String], ours: [String])
    /// The host has only an RSA key, which this libssh2 cannot check.
    case onlyRSAHostKey
    case hostKey(HostKeyProblem, shown: HostKey)
    /// A known_hosts file that is there cannot be read.
    case knownHostsUnreadable(path: String, code: Int32)
    case keyFile(path: String, KeyFileProblem)
    case agent(AgentProblem)
    /// The server does not accept this key for this user.
    case keyRefused(fingerprint: String?, path: String?, accepted: [String])
    /// All ways of authentication failed, each for its own reason.
    case noWayIn([SSHError])
    /// The server does not let us open another channel or run a command.
    case notAllowed
    /// The command's standard input was closed on the remote host.
    case inputClosed
    /// The connection broke.
    case lost
    /// No byte came from the peer for this long.
    case silent(Duration)
    /// We ended the connection or the channel ourselves.
    case closed
    /// A local file cannot be read.
    case localFile(path: String, code: Int32)
    /// libssh2 failed otherwise.
    case library
  }

  public enum HostKeyProblem: Sendable, Equatable {
    /// No line for this host in any of the files.
    case unknown(files: [String])
    /// The line has another key of the same type.
    case changed(file: String, line: Int)
    /// The host is known, but only by keys of these other types.
    case otherType(known: [String], file: String, line: Int)
    /// The key is marked `@revoked`.
    case revoked(file: String, line: Int)
  }

  public enum KeyFileProblem: Sendable, Equatable {
    case missing
    case unreadable(Int32)
    /// Others than the owner may read or write it; its mode bits.
    case tooOpen(mode: UInt32)
    case notAKey
    case isPublicKey
    case isPuTTYKey
    case needsPassphrase
    case wrongPassphrase
    /// RSA, which libssh2 before 1.11 signs with SHA-1.
    case rsaNeedsNewerLibrary(libraryVersion: String)
    case unsupportedCipher(String)
    case unsupportedType(String)
  }

  public enum AgentProblem: Sendable, Equatable {
    /// SSH_AUTH_SOCK is not set.
    case notSet
    case unreachable(path: String, code: Int32)
    case silent(Duration)
    case broken
    case noKeys
    /// It does not hold the key of this file.
    case lacksKey(publicKeyFile: String)
    /// It holds only RSA keys, which libssh2 before 1.11 signs with SHA-1.
    case onlyRSA(libraryVersion: String)
    /// It would not sign with this key.
    case refusedToSign(fingerprint: String)
  }
}
