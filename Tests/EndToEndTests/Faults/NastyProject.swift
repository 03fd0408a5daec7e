import Foundation
import TestSupport

/// A target whose command leaves a process behind that wants to stay: forked twice, in a session of its own, without an
/// environment, deaf to SIGTERM, SIGINT and SIGHUP.
struct NastyProject {
  /// Stands in the arguments of each process that is left behind.
  let mark = "cf-bench-nasty-\(UUID().uuidString)"

  init(in folder: String) throws {
    let project = try FixtureProject(in: folder, spin: 1)
    try project.write(
      "\(FixtureProject.name)/cli.py",
      """
      import os, signal, sys, time

      def spin(count):
          return sum(range(count))

      def stay():
          if os.fork():
              return
          os.setsid()
          if os.fork():
              os._exit(0)
          for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
              signal.signal(number, signal.SIG_IGN)
          for descriptor in range(3):
              os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
          os.execve(sys.executable, [sys.executable, "-S", "-c", "import time; time.sleep(900)", "\(mark)"], {})

      def main():
          stay()
          time.sleep(0.2)
          print("slowpoke 1.0")
      """)
  }

  /// Those that are alive.
  var alive: [pid_t] {
    Proc.pids.filter { Proc.arguments($0).contains(mark) && !Proc.isZombie($0) }
  }
}
