import SystemPackage

extension MachineAccess {
  /// The flags that lead to this machine, as a person would write them: for words that name a command.
  var flags: String {
    var words = ["--machine", choice.description]
    // What stands in a file or a variable is there for the next command too.
    if case .given(.flag) = settings.origin(of: "ssh.identity"), let file = settings.sshIdentity {
      words += ["--identity", file.string]
    }
    if case .given(.flag) = settings.origin(of: "ssh.known-hosts"), let file = settings.sshKnownHosts {
      words += ["--known-hosts", file.string]
    }
    return ShellWords.join(words)
  }
}
