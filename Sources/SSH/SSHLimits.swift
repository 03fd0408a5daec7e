/// How long each step of a connection may take.
public struct SSHLimits: Sendable, Equatable {
  /// Finding the address, and again for the TCP connection.
  public var connect: Duration
  /// Greeting, key exchange and host key.
  public var handshake: Duration
  /// Each way of authentication that is tried.
  public var authentication: Duration
  /// Each answer of ssh-agent; a person may have to press a button.
  public var agent: Duration
  /// Opening a channel and starting its command.
  public var openChannel: Duration
  /// Saying goodbye.
  public var close: Duration
  /// A peer of which no byte came for so long is dead, where traffic is expected.
  public var silence: Duration

  public init(
    connect: Duration = .seconds(10), handshake: Duration = .seconds(15), authentication: Duration = .seconds(20),
    agent: Duration = .seconds(15), openChannel: Duration = .seconds(15), close: Duration = .seconds(3),
    silence: Duration = .seconds(15)
  ) {
    self.connect = connect
    self.handshake = handshake
    self.authentication = authentication
    self.agent = agent
    self.openChannel = openChannel
    self.close = close
    self.silence = silence
  }
}

/// One way to prove who we are. Passwords are not among them.
public enum SSHAuthentication: Sendable, Equatable {
  /// A private key in a file.
  case keyFile(path: String, passphrase: String? = nil)
  /// A key that ssh-agent holds: the one of `publicKeyFile`, or without it each one in turn.
  case agent(publicKeyFile: String? = nil)
}
