import Foundation
import Shared
import Testing

@testable import Agent

extension SideRig {
  func context(_ sides: [SideEnvironment]) throws -> LayerContext {
    let scratch = folder + "/scratch"
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    return LayerContext(
      sink: events, python: "3", sides: sides, target: TargetPlan(package: "tidbit", importName: "tidbit"),
      scratch: scratch, environment: environment)
  }

  /// Runs a layer as a job does, in `A B B A` blocks (or the one side twice).
  func run(_ layer: any Layer, on sides: [SideEnvironment]) throws {
    var layer = layer
    let context = try context(sides)
    try layer.prepare(in: context)
    let there = sides.map(\.side)
    for number in 0..<layer.blocks {
      try layer.measure(Block(number: number, order: there + there.reversed()), in: context)
    }
    try layer.summarise(in: context)
  }
}
