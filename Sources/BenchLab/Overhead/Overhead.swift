import ArgumentParser
import Foundation

struct Overhead: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures what cf-bench itself costs on this machine, beside plain ssh.",
    discussion: """
      Needs ssh, sshd and uv, and cf-bench-agent built beside this program. Takes about two minutes and a gigabyte of
      temporary disk.

      EXAMPLE
        bench-lab overhead --json
      """)

  @OptionGroup(title: "Output") var output: Output

  func run() async throws {
    let report = try await OverheadBench(environment: ProcessInfo.processInfo.environment, note: output.note).run()
    try output.show(report, as: report.description)
  }
}
