import ArgumentParser
import Foundation
import GitHub
import Shared
import SystemPackage

struct CI: BenchCommand {
  static let configuration = CommandConfiguration(
    commandName: "ci",
    abstract: "Runs as a step of a GitHub workflow: decides what to measure, measures it, and reports to GitHub.",
    discussion: """
      Reads the event that started the workflow, and the inputs of the action from the variables CF_BENCH_CI_*. \
      Writes the comment on the pull request, the check of the commit, the summary, the annotations and the \
      outputs of the step. docs/github.md says what is measured on which event. Code of a fork reaches the \
      machine only after somebody with write access has named its commit.

      The exit status is that of the comparison; an event that asks for nothing ends with 0.
      """)

  @Flag(help: "Clean up after a killed step: end its check, and stop the VM that it started.") var settle = false

  mutating func perform() async throws -> ExitStatus {
    let environment = ProcessInfo.processInfo.environment
    // One stream, so that the runner reads our lines in the order in which they were written: see WorkflowCommands.
    let ownError = dup(STDERR_FILENO)
    dup2(STDOUT_FILENO, STDERR_FILENO)
    let step = try CIStep(environment: environment)
    do { return settle ? try await step.settle() : try await step.run() } catch let failure as OutputFailure {
      dup2(ownError, STDERR_FILENO)  // the only place left to say it
      throw failure
    }
  }
}

/// Puts the comment of a folder of results under a pull request.
struct CommentCommand: BenchCommand {
  static let configuration = CommandConfiguration(
    commandName: "comment",
    abstract: "Writes the comment of a finished comparison on a pull request.",
    discussion: """
      Replaces the comment that is there already: a pull request has one comment of cf-bench. Takes the token \
      and the host from 'gh' (GH_TOKEN, GH_HOST, or 'gh auth login').

      EXAMPLES
        cf-bench comment results/perf-x-vs-main-20260131T123456Z --pull 7 --repo codeflash-ai/codeflash
      """)

  @Argument(help: "Folder of a comparison.") var folder: String
  @Option(help: ArgumentHelp("Number of the pull request.", valueName: "number")) var pull: Int
  @Option(help: ArgumentHelp("Its repository, OWNER/NAME (default: GITHUB_REPOSITORY).", valueName: "repository"))
  var repo: String?

  mutating func perform() async throws -> ExitStatus {
    let environment = ProcessInfo.processInfo.environment
    guard let repository = repo ?? environment["GITHUB_REPOSITORY"], !repository.isEmpty else {
      throw Problem(
        what: "the pull request's repository is not known", fix: "name it: --repo OWNER/NAME", exitStatus: .usage)
    }
    guard case .comparison(let report, _) = try StoredReport.read(try RunFolder.open(.init(folder))) else {
      throw Problem(
        what: "'\(folder)' holds a run of one revision", why: "a comment compares two",
        fix: "name the folder of a comparison, HEAD-vs-BASE-TIME", exitStatus: .usage)
    }
    let api = try GitHubAPI(repository: repository, environment: environment) { StandardError.write("\($0)\n") }
    let outcome = try await StickyComment(api: api, pull: pull).put(
      Comment.text(report), stamp: RunStamp(environment).value)
    try StandardOutput.write(CommentFormatter.sentence(outcome, pull: pull))
    return .done
  }
}

/// How new a run is: the workflow's own number, or by hand the moment.
struct RunStamp {
  var value: StickyComment.Stamp

  init(_ environment: [String: String]) {
    let run = environment["GITHUB_RUN_ID"].flatMap { Int($0) }
    let attempt = environment["GITHUB_RUN_ATTEMPT"].flatMap { Int($0) }
    value = .init(run: run ?? 0, attempt: run == nil ? Int(Date.now.timeIntervalSince1970) : attempt ?? 1)
  }
}

enum CommentFormatter {
  static func sentence(_ outcome: StickyComment.Outcome, pull: Int) -> String {
    switch outcome {
    case .created: "comment written under pull request \(pull)"
    case .updated: "comment under pull request \(pull) updated"
    case .outdated: "a newer run has written its comment under pull request \(pull); that one stays"
    }
  }
}
