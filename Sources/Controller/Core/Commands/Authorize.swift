import ArgumentParser
import Foundation
import SSH
import Shared

struct Authorize: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the authorized_keys line for a key that may measure and do nothing else.",
    discussion: """
      Whoever logs in with that key gets the agent, whatever command was asked for: jobs, results, uploads, \
      upgrades and cancels all go through it, and there is no shell, file transfer, terminal or forwarding. A \
      job decides what code is measured, so give the key only to people who may run code as that login.

      EXAMPLES
        cf-bench authorize ~/.ssh/id_ed25519.pub
        cf-bench authorize bench.pub --expires 2027-01-31
        ssh-add -L | grep bench | cf-bench authorize -
      """)

  @Argument(help: ArgumentHelp("A .pub file, a public key itself, or '-' for standard input.", valueName: "key"))
  var key: String
  @Option(help: ArgumentHelp("When the key expires: a day, or day and time (2027-01-31T18:00).", valueName: "date"))
  var expires: String?
  @Option(help: ArgumentHelp("The agent's home on the benchmark host (default: ~/.cf-bench).", valueName: "folder"))
  var home: String?

  /// A key of any type is far shorter, in bytes.
  private static let longest = 64 << 10

  mutating func perform() async throws -> ExitStatus {
    let line = try AuthorizedLine(key: try PublicKeyLine(try text()), home: home, expires: expires)
    try StandardOutput.write(line.text)
    let agent = (line.home ?? "~/.cf-bench") + "/cf-bench-agent"
    let words = """
      \(line.key.type) \(line.key.fingerprint)
      Add the line to ~/.ssh/authorized_keys of the login that measures. The agent has to be there once, as
      \(agent): 'cf-bench doctor --machine ssh://USER@HOST' brings it, with a key that may start a shell.

      """
    StandardError.write(words)
    return .done
  }

  private func text() throws -> String {
    if key == "-" { return try read(FileHandle.standardInput, "standard input") }
    if FileManager.default.fileExists(atPath: key) {
      do {
        let file = try FileHandle(forReadingFrom: URL(filePath: key))
        defer { try? file.close() }  // only read from
        return try read(file, key)
      } catch let problem as Problem { throw problem } catch { throw unreadable(key, "it can't be opened") }
    }
    // What has no blank is no key either: most likely a file's name with a typing error.
    guard key.contains(" ") || key.contains("PRIVATE KEY") else { throw unreadable(key, "there is no such file") }
    return key
  }

  private func read(_ file: FileHandle, _ name: String) throws -> String {
    let data = (try? file.read(upToCount: Self.longest + 1)) ?? Data()  // a folder, for one: no bytes, no key
    guard data.count <= Self.longest, let text = String(data: data, encoding: .utf8), !text.contains("\0") else {
      throw unreadable(name, "it is not a short text")
    }
    return text
  }

  private func unreadable(_ name: String, _ why: String) -> Problem {
    Problem(
      what: "can't read a public key from '\(name.prefix(200))'", why: why,
      fix: "name a .pub file, such as ~/.ssh/id_ed25519.pub", exitStatus: .usage)
  }
}
