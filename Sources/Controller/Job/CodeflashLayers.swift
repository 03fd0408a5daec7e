import Foundation
import Shared

/// Layers 3 and 4 as they are asked for: their plans are made once the project is packed, since they name it.
struct CodeflashLayers: Sendable {
  var settings: Settings
  var layers: Set<LayerName>
  var isComparison = false
  /// The folder of the project that codeflash is run on.
  var project: String
  /// Whether a live service's answers are kept.
  var keepsRecordings = false

  func add(to plans: inout LayerPlans, project: UploadID) {
    let run = CodeflashRunPlan(
      project: project, answers: settings.optimizeAnswers, liveAddress: settings.optimizeLiveAddress,
      loopingSeconds: settings.optimizeLoopingTime.inSeconds, timeoutSeconds: settings.optimizeTimeout.inSeconds)
    if layers.contains(.optimize) {
      plans.optimize = OptimizePlan(
        run: run, form: settings.optimizeForm, budgetSeconds: settings.optimizeBudget.inSeconds,
        blocks: settings.blocks(\.optimizeBlocks, "optimize.blocks", alone: 1, isComparison: isComparison),
        keepsRecordings: keepsRecordings)
    }
    if layers.contains(.memory) {
      plans.memory = MemoryPlan(
        run: run, commands: settings.startupCommands.filter { !$0.isControl },
        blocks: settings.blocks(\.memoryBlocks, "memory.blocks", alone: 3, isComparison: isComparison),
        measuresRun: !layers.contains(.optimize), top: settings.memoryTop)
    }
  }

  /// What only a live service needs; stands in no file.
  func secrets(_ environment: [String: String]) -> [String: String]? {
    settings.optimizeAnswers == .live ? Self.key(environment) : nil
  }

  /// The key of the live service, by its variable's name, where this shell has one.
  static func key(_ environment: [String: String]) -> [String: String]? {
    let given = environment["CODEFLASH_API_KEY"]?.trimmingCharacters(in: .whitespacesAndNewlines)
    guard let key = given, !key.isEmpty else { return nil }
    return ["CODEFLASH_API_KEY": key]
  }
}
