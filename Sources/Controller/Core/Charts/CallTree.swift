import Shared

/// The stacks of one or several profiles as one tree of calls. Frames of a function meet in one node whatever line ran.
struct CallTree {
  /// The deepest call that is kept; recursion may go down thousands. What lies deeper counts for the last one kept.
  static let maximumDepth = 250

  struct Function: Hashable {
    var name: String
    var file: String
  }

  struct Node {
    /// A place in ``CallTree/functions``; `nil` for the root.
    var function: Int?
    /// The node it is called by; `nil` for the root.
    var caller: Int?
    /// What the call and all below it weigh, one for each profile.
    var values: [Double]
    /// Nodes by the function called.
    fileprivate var calls: [Int: Int] = [:]
  }

  private(set) var functions: [Function] = []
  /// The root comes first, a caller before what it calls.
  private(set) var nodes: [Node]
  /// What each function weighs wherever it is called, itself in its own recursion counted once; by profile.
  private(set) var everywhere: [[Double]] = []
  private(set) var isCutInDepth = false

  /// The root of each profile weighs its ``StackProfile/total``, which includes what was left out for size.
  init(_ profiles: [StackProfile]) {
    nodes = [Node(values: profiles.map(\.total))]
    var known: [Function: Int] = [:]
    for (number, profile) in profiles.enumerated() {
      var ids: [Int: Int] = [:]
      for stack in profile.drawable {
        let calls = stack.frames.map { place in
          if let id = ids[place] { return id }
          let id = intern(profile.frame(at: place), among: &known, profiles: profiles.count)
          ids[place] = id
          return id
        }
        for id in Set(calls) { everywhere[id][number] += stack.value }
        add(calls, value: stack.value, of: number, profiles: profiles.count)
      }
    }
  }

  func function(of node: Int) -> Function? { nodes[node].function.map { functions[$0] } }

  /// What a node calls, by `weight` with the heaviest first; equals by name, so that a picture is the same every time.
  func calls(of node: Int, by weight: (Int) -> Double) -> [Int] {
    sorted(Array(nodes[node].calls.values), by: weight)
  }

  func sorted(_ nodes: [Int], by weight: (Int) -> Double) -> [Int] {
    nodes.map { (node: $0, weight: weight($0), function: function(of: $0)) }.sorted { first, second in
      if first.weight != second.weight { return first.weight > second.weight }
      let (one, other) = (first.function, second.function)
      if one == other { return first.node < second.node }
      return (one?.name ?? "", one?.file ?? "") < (other?.name ?? "", other?.file ?? "")
    }.map(\.node)
  }

  /// How many calls that `counts` there are from a node on downwards, itself included.
  func size(below node: Int, counts: (Int) -> Bool) -> Int {
    nodes[node].calls.values.reduce(1) { $0 + (counts($1) ? size(below: $1, counts: counts) : 0) }
  }

  private mutating func intern(_ frame: StackProfile.StackFrame, among known: inout [Function: Int], profiles: Int)
    -> Int
  {
    let function = Function(name: frame.name, file: frame.file)
    if let id = known[function] { return id }
    functions.append(function)
    everywhere.append(Array(repeating: 0, count: profiles))
    known[function] = functions.count - 1
    return functions.count - 1
  }

  private mutating func add(_ calls: [Int], value: Double, of number: Int, profiles: Int) {
    var node = 0
    if calls.count > Self.maximumDepth { isCutInDepth = true }
    for function in calls.prefix(Self.maximumDepth) {
      if let next = nodes[node].calls[function] {
        node = next
      } else {
        nodes.append(Node(function: function, caller: node, values: Array(repeating: 0, count: profiles)))
        nodes[node].calls[function] = nodes.count - 1
        node = nodes.count - 1
      }
      nodes[node].values[number] += value
    }
  }
}

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
