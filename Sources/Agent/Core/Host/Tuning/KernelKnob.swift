import Shared

/// A knob of the whole machine: files of the kernel and what they should say. It outlives the process that turns it.
struct KernelKnob {
  var knob: TuningReport.Knob
  /// Those that the machine has; more than one where CPUs are set apart.
  var paths: [String]
  /// As the files have it.
  var wanted: String
  /// Turned by root only, even where others could.
  var needsRoot = false
  /// What the files' values mean, where they don't speak for themselves.
  var meanings: [String: String] = [:]

  func words(_ value: String) -> String { meanings[value] ?? value }

  /// Turbo and governor change the clock under the measurement; randomised addresses change how code falls into caches.
  static func all(_ files: MachineFiles) -> [KernelKnob] {
    let hasPstate = files.exists(KernelPaths.noTurbo)
    let turbo =
      hasPstate
      ? KernelKnob(
        knob: .turbo, paths: [KernelPaths.noTurbo], wanted: "1", meanings: ["0": "on", "1": "off"])
      : KernelKnob(knob: .turbo, paths: [KernelPaths.boost], wanted: "0", meanings: ["0": "off", "1": "on"])
    return [
      turbo, KernelKnob(knob: .governor, paths: KernelPaths.governors(files), wanted: "performance"),
      KernelKnob(
        knob: .addressRandomisation, paths: [KernelPaths.addressRandomisation], wanted: "0", needsRoot: true),
    ]
  }

  /// Whether a path is one that some knob may have: nothing else is ever written, whatever a record says.
  static func owns(_ path: String) -> Bool {
    if [KernelPaths.noTurbo, KernelPaths.boost, KernelPaths.addressRandomisation].contains(path) { return true }
    return KernelPaths.isGovernor(path)
  }

  /// Whether a value can be one of these files': letters, digits, `_` and `-`. Others are not kept, nor shown to a shell.
  static func isPlain(_ value: String) -> Bool {
    !value.isEmpty && value.utf8.count <= 64
      && value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
  }
}
