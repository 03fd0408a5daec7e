import ArgumentParser
import Foundation
import Shared

/// `bench-lab`: what developers of cf-bench measure of cf-bench. Run from the checkout, by `make calibrate` and `make bench`.
@main
struct BenchLab: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-lab",
    abstract: "Measures cf-bench itself: how often its verdicts are wrong, and what it costs.",
    subcommands: [Calibrate.self, RecordingsCommand.self, Overhead.self])

  static func main() async {
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
    } catch let error as any UserFacingError {
      FileHandle.standardError.write(Data((error.problem.rendered + "\n").utf8))
      Foundation.exit(error.exitStatus.rawValue)
    } catch { exit(withError: error) }
  }
}

struct Output: ParsableArguments {
  @Flag(help: "Print the result as JSON on standard output.") var json = false
  @Flag(name: .shortAndLong, help: "No progress; errors and the result only.") var quiet = false

  func note(_ text: String) {
    if !quiet { FileHandle.standardError.write(Data((text + "\n").utf8)) }
  }

  func show(_ report: some Encodable, as text: String) throws {
    print(json ? String(decoding: try Self.json(report), as: UTF8.self) : text)
  }

  static func json(_ value: some Encodable) throws -> Data {
    return try JSONEncoder.pretty.encode(value)
  }
}

extension Duration {
  var inSeconds: Double { self / .seconds(1) }
}
