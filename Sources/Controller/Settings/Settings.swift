import Shared
import SystemPackage

/// Everything that can be set, with the values that hold when nothing is.
struct Settings: Equatable, Sendable {
  var targetPackage = "codeflash"
  var targetImport = "codeflash"
  var targetRepository: RepositoryLocation? = RepositoryLocation.address(
    "https://github.com/codeflash-ai/codeflash.git")
  var targetRequirements = ["pytest<9.2"]
  var machine = "local"
  var sshIdentity: FilePath?
  var sshKnownHosts: FilePath?
  var tune = false
  var python = ["3.12"]
  var layers = LayerName.allCases
  var results = FilePath("results")
  var startupCommands = Self.commands(package: "codeflash", importName: "codeflash")
  var startupBlocks = 15
  var startupWarmupRuns = 1
  var startupImportRuns = 5
  var startupTimeout = Duration.seconds(60)
  var microTargets: FilePath?
  var microBuiltinTargets = true
  var microBlocks = 12
  var microRepeats = 3
  var microRepeatTime = Duration.milliseconds(20)
  var microTimeout = Duration.seconds(300)
  var microProfileTop = 25
  var optimizeProject: FilePath?
  var optimizeAnswers = CodeflashRunPlan.Answers.replay
  var optimizeLiveAddress = "https://app.codeflash.ai"
  var optimizeForm = OptimizeForm.auto
  var optimizeBudget = Duration.seconds(240)
  var optimizeBlocks = 1
  var optimizeLoopingTime = Duration.milliseconds(500)
  var optimizeTimeout = Duration.seconds(180)
  var memoryBlocks = 3
  var memoryTop = 200
  var alpha = 0.01
  var delta = 0.02
  var limitQueue = Duration.seconds(7200)
  var limitSetup = Duration.seconds(600)
  var limitTotal = Duration.seconds(7200)

  /// Where each value that was set came from, by the setting's name.
  var origins: [String: SettingOrigin] = [:]

  func origin(of key: String) -> SettingOrigin { origins[key] ?? .standard }
}
