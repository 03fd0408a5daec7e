import ArgumentParser
import Shared

/// The root: `cf-bench`.
struct CFBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cf-bench",
    abstract: "Proves whether one revision of a Python tool is faster than another.",
    discussion: """
      EXAMPLES
        cf-bench compare cowsay==5.0 cowsay==6.1
        cf-bench compare                            in a repository: your branch against main
        cf-bench compare main perf/x --machine ssh://bench@10.0.0.4
        cf-bench analyze base.json head.json
        cf-bench doctor

      Results go to ./results; 'cf-bench report' shows the newest, 'cf-bench report FOLDER' another.

      Exit status: 0 done, 1 gate failed, 2 usage or configuration, 3 machine, connection or output, 4 part of \
      it has no result, 130 cancelled, 141 broken pipe.
      """,
    version: Version.current,
    groupedSubcommands: [
      CommandGroup(name: "Measure", subcommands: [Compare.self, Run.self, Record.self]),
      CommandGroup(name: "Jobs", subcommands: [Attach.self, Jobs.self, Cancel.self]),
      CommandGroup(name: "Results", subcommands: [Analyze.self, Report.self, ShowSettings.self]),
      CommandGroup(name: "GitHub", subcommands: [Initialise.self, CommentCommand.self, CI.self]),
      CommandGroup(
        name: "Azure VM",
        subcommands: [
          Provision.self, Start.self, Stop.self, Status.self, Cost.self, Reap.self, Deprovision.self,
        ]),
      CommandGroup(name: "Machine", subcommands: [Doctor.self, Authorize.self]),
    ])
}
