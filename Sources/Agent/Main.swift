import AgentCore

/// `cf-bench-agent`: all of it is in `Core`, so that tests import a library.
@main enum Main {
  static func main() { AgentProgram.main() }
}
