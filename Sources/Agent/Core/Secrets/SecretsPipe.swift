import CSpawn
import FoundationEssentials
import Glibc
import Shared

/// The way of secrets from one of the agent's processes to the next: a pipe that is its standard input. No file has them, and
/// neither the arguments nor the environment that /proc shows.
enum SecretsPipe {
  /// A pipe's end to be read by the process that is started; all is in it already, so nobody has to wait.
  static func filled(with secrets: [String: String]) throws -> Int32 {
    let bytes = Array(try JSONEncoder().encode(secrets))
    var ends: [Int32] = [-1, -1]
    guard cf_pipe(&ends) == 0 else { throw failure(errno) }
    defer { close(ends[1]) }
    // A pipe takes 64 KiB; one that takes less says so instead of waiting for a reader that does not run yet.
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    guard write(ends[1], bytes, bytes.count) == bytes.count else {
      let code = errno
      close(ends[0])
      throw failure(code)
    }
    return ends[0]
  }

  /// Takes what is in standard input, where that is a pipe, and leaves nothing there for what is started later.
  static func take() -> [String: String] {
    var info = stat()
    guard fstat(0, &info) == 0, info.st_mode & S_IFMT == S_IFIFO else { return [:] }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while bytes.count <= 2 * Secrets.mostBytes {
      let count = read(0, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes.append(contentsOf: chunk[..<count])
    }
    let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
    if nothing >= 0 {
      dup2(nothing, 0)
      close(nothing)
    }
    // A pipe that somebody else made holds something else: that is no secret.
    return (try? JSONDecoder().decode([String: String].self, from: Data(bytes))) ?? [:]
  }

  private static func failure(_ code: Int32) -> Problem {
    Problem(
      what: "the job's secrets can't be handed over", why: String(cString: strerror(code)),
      fix: "see the limits of pipes on the benchmark host (/proc/sys/fs/pipe-user-pages-soft)",
      exitStatus: .infrastructure)
  }
}
