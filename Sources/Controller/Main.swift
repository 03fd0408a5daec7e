import ControllerCore

/// `cf-bench`: all of it is in `Core`, so that tests import a library.
@main enum Main {
  static func main() async { await ControllerProgram.main() }
}
