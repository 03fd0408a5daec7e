import Shared
struct MicroLayer: Layer {
  static let name = LayerName.micro
  let plan: MicroPlan
  var blocks: Int { plan.blocks }
  func plannedSamples(sides: Int) -> Int { plan.blocks * plan.targets.count * sides * 2 }
  mutating func prepare(in context: LayerContext) throws {}
  mutating func measure(_ block: Block, in context: LayerContext) throws {}
  mutating func summarise(in context: LayerContext) throws {}
}
