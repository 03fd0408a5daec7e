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
}
