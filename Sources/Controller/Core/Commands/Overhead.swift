import ArgumentParser
import Foundation
import Shared

struct Overhead: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures what cf-bench itself costs on this machine, beside plain ssh.",
    discussion: """
      Needs ssh, sshd and uv. Takes about two minutes and a gigabyte of temporary disk.

      EXAMPLE
        cf-bench overhead --json
      """)

  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let environment = ProcessInfo.processInfo.environment
    let isQuiet = output.progress.quiet
    let bench = OverheadBench(agent: try AgentBinary.find(environment: environment), environment: environment) {
      if !isQuiet { StandardError.write($0 + "\n") }
    }
    let report = try await bench.run()
    if output.json { try StandardOutput.write(json: report) } else { try StandardOutput.write(report.description) }
    return .done
  }
}
