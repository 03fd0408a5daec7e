import FoundationEssentials
import Shared

/// Commands timed by the agent itself.
extension StartupLayer {
  /// One run at each position of the block. False when the metric can't be measured any more.
  func measureBySpawning(_ metric: Metric, _ block: Block, in context: LayerContext) throws -> Bool {
    for (position, arm) in block.order.enumerated() {
      try context.checkpoint()
      guard let side = context.environment(of: arm), let line = metric.lines[arm] else { return false }
      let run = try TimedProcess(
        words: line.words, environment: try environment(of: metric, on: side, block: block, in: context),
        directory: folder(of: block, in: context), limitSeconds: plan.timeoutSeconds
      ).run()
      guard run.end == .exited(0) else {
        // Nothing of what a command says is kept while it is timed: it is run once more, for its last output.
        try explainFailure(of: metric, on: side, block: block, in: context)
        return false
      }
      try context.sink.emit(
        .sample(
          Sample(
            layer: Self.name, metric: metric.name, python: context.python, arm: arm, block: block.number,
            position: position, value: run.seconds, userSeconds: run.userSeconds, systemSeconds: run.systemSeconds,
            exitCode: 0, isControl: metric.command.isControl, usage: run.usage)))
    }
    return true
  }

  private func environment(
    of metric: Metric, on side: SideEnvironment, block: Block, in context: LayerContext
  ) throws -> [String: String] {
    var environment = environment(of: side, block: block.number, in: context)
    guard metric.isCold else { return environment }
    // Python looks for bytecode below this folder and nowhere else, and finds none.
    let bytecode = folder(in: context) + "/no-bytecode"
    try FileManager.default.makeFresh(bytecode)
    environment["PYTHONPYCACHEPREFIX"] = bytecode
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    PageCache.drop()
    return environment
  }
}
