import Dispatch
import Foundation
import Shared

/// SIGINT, SIGTERM and SIGHUP ask the work to end in order. A SIGINT after that ends the program at once: it is a person who
/// does not want to wait. A SIGTERM after that changes nothing: GitHub sends one 7.5 s after its SIGINT, and kills 2.5 s later
/// in any case, so the time in between belongs to the orderly end.
final class CancelSignals {
  private var sources: [any DispatchSourceSignal] = []

  init(cancel: @escaping @Sendable () -> Void) {
    let queue = DispatchQueue(label: "cf-bench.signals")
    let first = FirstSignal()
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number, SIG_IGN)  // delivery through the source instead
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        guard first.take() else {
          // Nothing of ours is run on the way out: whatever hangs must not hold a person up.
          if number == SIGINT { _exit(ExitStatus.cancelled.rawValue) }
          return
        }
        cancel()
        StandardError.write("\ncancelling; press Ctrl-C again to leave at once\n")
      }
      source.resume()
      sources.append(source)
    }
  }
}

/// Asked on one serial queue only.
private final class FirstSignal: @unchecked Sendable {  // every call comes from the queue of the sources above
  private var isTaken = false
  func take() -> Bool {
    defer { isTaken = true }
    return !isTaken
  }
}
