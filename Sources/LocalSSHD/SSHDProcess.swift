import CLibrary
import Foundation
import Shared
import Tools

/// The shell around one sshd: ends it, and removes its folder, at the end of its own standard input.
struct SSHDProcess {
  var server: PrivateSSHD
  private var pid: pid_t
  /// The only writing end of the shell's input.
  private var lifetimePipe: Int32
  private var folder: ScratchFolder

  /// How long the server may take to listen, in seconds.
  private static let startLimit = 10.0

  /// Signals are left to the controller: a Ctrl-C at the terminal must not end the server before its scope.
  private static let script = """
    trap '' INT HUP TERM
    "$1" -D -f "$2/sshd_config" -E "$2/log" </dev/null 3>&- & server=$!
    cat >/dev/null
    kill "$server" 2>/dev/null
    wait "$server"
    rm -rf "$2"
    """

  static func start(_ options: PrivateSSHDOptions) async throws -> SSHDProcess {
    guard let sshd = find("sshd"), let keygen = find("ssh-keygen") else {
      throw PrivateSSHDFailure(
        why: "sshd or ssh-keygen is not installed", fix: "sudo apt-get install openssh-server")
    }
    if geteuid() == 0 { mkdir("/run/sshd", 0o755) }  // sshd's privilege separation folder; there already is as good
    for _ in 0..<5 {
      let folder = try ScratchFolder("sshd")
      do {
        let server = PrivateSSHD(port: try freePort(), user: NSUserName(), folder: folder.path)
        try await makeKeys(server, options, keygen: keygen)
        try configuration(server, options)
          .write(toFile: folder.path + "/sshd_config", atomically: false, encoding: .utf8)
        let process = try launch(server, in: folder, sshd: sshd)
        if try await process.listens() { return process }
        process.stop()  // another program took the port in between: once more with another one
      } catch {
        folder.remove()
        throw error
      }
    }
    throw PrivateSSHDFailure(why: "every port that was free was taken a moment later", fix: "try again")
  }

  func stop() {
    close(lifetimePipe)
    var status: Int32 = 0
    let deadline = ContinuousClock.now + .seconds(5)
    while waitpid(pid, &status, WNOHANG) == 0 {
      if ContinuousClock.now > deadline {
        kill(pid, SIGKILL)
        waitpid(pid, &status, 0)
        break
      }
      usleep(2000)
    }
  }

  private static func find(_ name: String) -> String? {
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/usr/local/sbin:/usr/bin:/bin"
    return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// A loopback port that nobody listens on now.
  private static func freePort() throws -> Int {
    let socket = makeStreamSocket(family: AF_INET)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
      }
    }
    guard code else {
      throw PrivateSSHDFailure(why: String(cString: strerror(errno)), fix: "check that 127.0.0.1 can be used here")
    }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  private static func makeKeys(_ server: PrivateSSHD, _ options: PrivateSSHDOptions, keygen: String) async throws {
    try await makeKey("ed25519", server.clientKey, keygen)
    let publicKey = try String(contentsOfFile: server.clientKey + ".pub", encoding: .utf8)
    let line = (options.keyOptions.map { $0 + " " } ?? "") + publicKey
    try line.write(toFile: server.folder + "/authorized_keys", atomically: false, encoding: .utf8)
    var known = ""
    for type in options.hostKeyTypes {
      let path = "\(server.folder)/host_\(type)"
      try await makeKey(type, path, keygen)
      let words = try String(contentsOfFile: path + ".pub", encoding: .utf8).split(separator: " ").prefix(2)
      known += "[127.0.0.1]:\(server.port) \(words.joined(separator: " "))\n"
    }
    try known.write(toFile: server.knownHosts, atomically: false, encoding: .utf8)
  }

  private static func makeKey(_ type: String, _ path: String, _ keygen: String) async throws {
    let made = try await ChildTool(program: keygen, environment: ProcessInfo.processInfo.environment)
      .run(["-q", "-t", type, "-N", "", "-C", "cf-bench", "-f", path], limit: .seconds(60))
    guard made.succeeded else {
      throw PrivateSSHDFailure(
        why: "ssh-keygen made no \(type) key: \(made.reason)", fix: "run: ssh-keygen -t \(type)")
    }
  }

  private static func configuration(_ server: PrivateSSHD, _ options: PrivateSSHDOptions) -> String {
    var lines = [
      "Port \(server.port)", "ListenAddress 127.0.0.1", "PidFile none", "LogLevel VERBOSE", "UsePAM no",
      "AuthorizedKeysFile \(server.folder)/authorized_keys", "AuthenticationMethods publickey",
      "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password",
      "AllowUsers \(server.user)", "StrictModes no", "PrintMotd no", "X11Forwarding no", "UseDNS no",
    ]
    lines += options.hostKeyTypes.map { "HostKey \(server.folder)/host_\($0)" }
    // sshd reads the first SetEnv only, so all variables stand on one line; one with a quote or a line break can't.
    // Many a bash reads ~/.bashrc for a command that comes by ssh, but not as the second shell (bash(1), "remote shell
    // daemon"): what a person has there may change PATH again, print, or hang.
    let variables = options.environment.merging(["SHLVL": "1"]) { given, _ in given }.sorted { $0.key < $1.key }
      .filter { !$0.value.contains { $0 == "\"" || $0.isNewline } }.map { "\"\($0.key)=\($0.value)\"" }
    lines.append("SetEnv " + variables.joined(separator: " "))
    // sshd takes the first word on anything, so that a caller has it before us.
    return (options.extraConfiguration + lines).joined(separator: "\n") + "\n"
  }

  private static func launch(_ server: PrivateSSHD, in folder: ScratchFolder, sshd: String) throws -> SSHDProcess {
    guard let pipe = makePipe() else {
      throw PrivateSSHDFailure(why: String(cString: strerror(errno)), fix: "try again")
    }
    defer { close(pipe.reader) }
    let pid = try spawn(
      ["/usr/bin/setsid", "/bin/sh", "-c", script, "cf-bench-sshd-lifetime", sshd, server.folder], input: pipe.reader,
      lock: folder.lock)
    return SSHDProcess(server: server, pid: pid, lifetimePipe: pipe.writer, folder: folder)
  }

  /// Waits until the server's log says that it listens. False when the port was taken.
  private func listens() async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(Self.startLimit)
    while true {
      let log = (try? String(contentsOfFile: server.log, encoding: .utf8)) ?? ""  // not written yet
      if log.contains("Server listening on 127.0.0.1") { return true }
      if log.contains("Address already in use") { return false }
      guard ContinuousClock.now < deadline else {
        stop()
        throw PrivateSSHDFailure(
          why: log.isEmpty ? "sshd said nothing for \(Int(Self.startLimit)) s" : log,
          fix: "run \"$(command -v sshd || echo /usr/sbin/sshd) -t\" to see what it wants")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  /// - Parameter lock: held by the child too, as its descriptor 3.
  private static func spawn(_ arguments: [String], input: Int32, lock: Int32) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, lock, 3)
    // The thread that spawns may have signals blocked, and OpenSSH before 8.9 waits for SIGCHLD for ever then.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let pointers = arguments.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    var argv = pointers + [nil]
    var pid: pid_t = 0
    let code = posix_spawn(&pid, arguments[0], &actions, &attributes, &argv, environ)
    guard code == 0 else {
      throw PrivateSSHDFailure(
        why: "\(arguments[0]): \(String(cString: strerror(code)))", fix: "check that it is installed")
    }
    return pid
  }
}
