import Dispatch
import Foundation
import Shared

/// SIGINT, SIGTERM and SIGHUP ask the work to end; the second one ends the program at once.
final class CancelSignals {
  private var sources: [any DispatchSourceSignal] = []

  init(cancel: @escaping @Sendable () -> Void) {
    let queue = DispatchQueue(label: "cf-bench.signals")
    let count = SignalCount()
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number, SIG_IGN)  // delivery through the source instead
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if count.next() > 1 { exit(ExitStatus.cancelled.rawValue) }
        FileHandle.standardError.write(Data("\ncancelling; once more to leave at once\n".utf8))
        cancel()
      }
      source.resume()
      sources.append(source)
    }
  }
}

/// Counted on one serial queue only.
private final class SignalCount: @unchecked Sendable {  // every call comes from the queue of the sources above
  private var value = 0
  func next() -> Int {
    value += 1
    return value
  }
}
