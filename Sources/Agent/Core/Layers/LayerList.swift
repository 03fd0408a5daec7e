import Shared

/// The layers there are, in the order in which they run. A new layer is one folder and one line here.
enum LayerList {
  static func make(from plans: LayerPlans) -> [any Layer] {
    var layers: [any Layer] = []
    if let plan = plans.startup { layers.append(StartupLayer(plan: plan)) }
    if let plan = plans.micro { layers.append(MicroLayer(plan: plan)) }
    if let plan = plans.optimize { layers.append(OptimizeLayer(plan: plan)) }
    if let plan = plans.memory { layers.append(MemoryLayer(plan: plan)) }
    return layers
  }
}
