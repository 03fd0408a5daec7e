import Shared

/// Stacks of one or both sides put together by function: a function called from the same place counts once, whatever its line.
final class FlameTree {
  let name: String
  let file: String
  private(set) var base = 0.0
  private(set) var head = 0.0
  private var children: [String: FlameTree] = [:]

  private init(name: String, file: String) {
    self.name = name
    self.file = file
  }

  init(base: StackProfile? = nil, head: StackProfile? = nil) {
    name = "all"
    file = ""
    if let base { add(base, to: \.base) }
    if let head { add(head, to: \.head) }
  }

  private func add(_ profile: StackProfile, to side: ReferenceWritableKeyPath<FlameTree, Double>) {
    for stack in profile.stacks where stack.value > 0 && stack.value.isFinite {
      var node = self
      node[keyPath: side] += stack.value
      for number in stack.frames where profile.frames.indices.contains(number) {
        node = node.child(profile.frames[number])
        node[keyPath: side] += stack.value
      }
    }
  }

  private func child(_ frame: StackProfile.StackFrame) -> FlameTree {
    let key = "\(frame.name)\n\(frame.file)"
    if let child = children[key] { return child }
    let child = FlameTree(name: frame.name, file: frame.file)
    children[key] = child
    return child
  }

  /// What a box is as wide as: the larger side, so that nothing that is gone is lost from the picture, and never less than
  /// its children together.
  private(set) lazy var width: Double = max(base, head, children.values.reduce(0) { $0 + $1.width })

  /// The widest first.
  private(set) lazy var sorted: [FlameTree] = children.values.sorted {
    ($0.width, $1.name, $1.file) > ($1.width, $0.name, $0.file)
  }
}
