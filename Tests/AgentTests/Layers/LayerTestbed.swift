import Foundation
import Shared
import Testing

@testable import AgentCore

extension SideTestbed {
  func context(_ sides: [SideEnvironment], of package: String = "tidbit") throws -> LayerContext {
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    return LayerContext(
      sink: events, python: "3", sides: sides, target: TargetPlan(package: package, importName: package),
      scratch: scratch, home: home, agent: agent, secrets: secrets, setupSeconds: 300, environment: environment)
  }

  /// Runs a layer as a job does, in `A B B A` blocks (or the one side twice).
  func run(_ layer: any Layer, on sides: [SideEnvironment]) throws {
    try run(layer, in: try context(sides))
  }

  func run(_ layer: any Layer, in context: LayerContext) throws {
    var layer = layer
    try layer.prepare(in: context)
    let there = context.sides.map(\.arm)
    for number in 0..<layer.blocks {
      let everything = Set(layer.metrics.map(\.name))
      try layer.measure(Block(number: number, order: there + there.reversed()), of: everything, in: context)
    }
    try layer.summarise(in: context, telling: .all)
  }
}
