import Glibc
import Shared

/// `~/.cf-bench/cf-bench-agent`: the agent that was installed last, under a name that a line of authorized_keys can name.
struct CurrentAgentLink {
  var home: AgentHome

  var path: String { home.path + "/cf-bench-agent" }

  /// Whether it leads to a program.
  var isSet: Bool { access(path, X_OK) == 0 }

  /// Has it lead to an installed agent from now on, in one step. Jobs in flight keep the file that they were started with.
  func point(to sha256: String) throws(StorageFailure) {
    let temporary = "\(path).new-\(getpid())"
    unlink(temporary)  // of a process of that number long ago
    guard symlink("agents/\(sha256)/cf-bench-agent", temporary) == 0 else {
      throw StorageFailure(path: temporary, code: errno)
    }
    guard rename(temporary, path) == 0 else {
      let code = errno
      unlink(temporary)
      throw StorageFailure(path: path, code: code)
    }
  }
}
