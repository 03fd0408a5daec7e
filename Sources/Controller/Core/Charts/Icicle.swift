/// Where the boxes of a tree of calls lie: the caller above, what it calls below, as wide as it weighs.
struct Icicle {
  struct Box: Equatable {
    enum Content: Equatable {
      case node(Int)
      /// Calls of one caller that are too light for boxes of their own.
      case smaller(calls: Int)
    }
    var content: Content
    /// Left end and width, in the unit of the weights.
    var start: Double
    var weight: Double
    /// 0 for the top one.
    var row: Int
  }

  private(set) var boxes: [Box] = []
  /// Lighter calls than this have no box of their own, in the unit of the weights.
  private(set) var cutOff: Double
  /// Calls without a box of their own.
  private(set) var leftOut = 0

  var rows: Int { (boxes.map(\.row).max() ?? -1) + 1 }
  /// The nodes that have a box of their own.
  var drawn: Set<Int> {
    Set(
      boxes.compactMap { box in
        guard case .node(let node) = box.content else { return nil }
        return node
      })
  }

  /// Lays out `roots` side by side. The cut-off rises until no more than `limit` boxes are left.
  init(_ tree: CallTree, roots: [Int], cutOff: Double, limit: Int, weight: (Int) -> Double) {
    self.cutOff = cutOff
    repeat {
      boxes = []
      leftOut = 0
      lay(roots, from: 0, row: 0, tree: tree, weight: weight)
      if boxes.count > limit { self.cutOff *= 1.5 }
    } while boxes.count > limit && cutOff > 0
  }

  private mutating func lay(_ nodes: [Int], from start: Double, row: Int, tree: CallTree, weight: (Int) -> Double) {
    var place = start
    var (small, smallWeight) = (0, 0.0)
    for node in nodes {
      let own = weight(node)
      guard own > 0 else { continue }
      if own < cutOff {
        small += 1
        smallWeight += own
        leftOut += tree.size(below: node) { weight($0) > 0 }
        continue
      }
      boxes.append(Box(content: .node(node), start: place, weight: own, row: row))
      lay(tree.calls(of: node, by: weight), from: place, row: row + 1, tree: tree, weight: weight)
      place += own
    }
    guard small > 0, smallWeight >= cutOff else { return }
    boxes.append(Box(content: .smaller(calls: small), start: place, weight: smallWeight, row: row))
  }
}
