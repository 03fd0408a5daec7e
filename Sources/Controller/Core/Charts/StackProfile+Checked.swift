import Shared

extension StackProfile {
  /// The stacks that can be drawn: a tool's slip (a weight of nothing, less, or no number) must not spoil the rest.
  var drawable: some Sequence<Stack> { stacks.lazy.filter { $0.value > 1e-12 && $0.value < 1e15 } }

  /// What the stacks left out for size weigh, in ``unit``; 0 for what is no number.
  var drawableLeftOut: Double { leftOut > 0 && leftOut < 1e15 ? leftOut : 0 }

  /// Everything together, stacks left out for size included, in ``unit``.
  var total: Double { drawable.reduce(drawableLeftOut) { $0 + $1.value } }

  /// The frame at a place of ``frames``; one without a name where there is none.
  func frame(at place: Int) -> StackFrame {
    frames.indices.contains(place) ? frames[place] : StackFrame(name: "?", file: "", line: 0)
  }
}

extension StackProfile.Unit {
  /// A weight in words: `1.23 s`, `45.6 MiB`.
  func words(_ value: Double) -> String {
    switch self {
    case .seconds: Numbers.seconds(value)
    case .bytes: Numbers.bytes(Int(min(max(0, value), 1e18).rounded()))
    }
  }
}
