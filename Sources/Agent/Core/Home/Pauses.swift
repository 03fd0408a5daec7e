import Shared

/// For how long is waited where only the clock tells: what people can wait for, and trials can't.
struct Pauses: Equatable, Sendable {
  /// Everything here is as many times longer: 1, and less in trials (`CF_BENCH_AGENT_PACE`).
  var pace = 1.0

  init(_ environment: [String: String] = [:]) {
    if let pace = environment["CF_BENCH_AGENT_PACE"].flatMap({ Double($0) }), pace > 0, pace <= 1 { self.pace = pace }
  }

  /// How often a job looks whether its turn has come, in seconds.
  var queueLook: Double { 1 * pace }
  /// How long a worker that was told to end may take before it is killed, in seconds.
  var workerGrace: Double { 3 * pace }
  /// How long a runner may take to end by itself once told, in seconds: more than it gives its worker, and time to end all that
  /// this started.
  var runnerGrace: Double { 15 * pace }
  /// While a job is followed, its runner is looked for this often in case the kernel's word was missed, in seconds.
  var followLook: Double { 10 * pace }
}
