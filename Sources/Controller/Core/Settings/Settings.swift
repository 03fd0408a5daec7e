import Azure
import Shared
import SystemPackage

/// Everything that can be set, with the values that hold when nothing is.
struct Settings: Equatable, Sendable {
  var targetPackage = "codeflash"
  var targetImport = "codeflash"
  var targetRepository: RepositoryLocation? = RepositoryLocation.address(
    "https://github.com/codeflash-ai/codeflash.git")
  var targetRequirements = ["pytest<9.2"]
  /// Names of variables.
  var secrets: [String] = []
  var machine = MachineChoice.automatic
  var azure = AzureSettings()
  /// For how long the VM stays on after the run: `--keep-running`, in no file.
  var keepRunning: Duration?
  var sshIdentity: FilePath?
  var sshKnownHosts: FilePath?
  var tune = false
  var supersede = false
  var reconnectFor = Duration.seconds(1800)
  var python = ["3.12"]
  var layers = LayerName.allCases
  var results = FilePath("results")
  var startupCommands = Self.commands(scripts: ["codeflash"], importName: "codeflash", isGuess: nil)
  var budget = Duration.seconds(600)
  var profiles = ProfileRule.moved
  var startupBlocks = Settings.mostBlocks(of: .startup)
  var startupEngine = TimingEngine.hyperfine
  var startupCold = false
  var startupWarmupRuns = 1
  var startupImportRuns = 3
  var startupTimeout = Duration.seconds(60)
  var microTargets: FilePath?
  var microBuiltinTargets = true
  var microPytest: BenchmarkPath?
  var microOnly: [String] = []
  var microBlocks = Settings.mostBlocks(of: .micro)
  var microRepeats = 5
  var microRepeatTime = Duration.milliseconds(5)
  var microLongestCall = Duration.seconds(10)
  var microTimeout = Duration.seconds(300)
  var microProfileTop = 25
  var optimizeProject: FilePath?
  var optimizeAnswers = CodeflashRunPlan.Answers.replay
  var optimizeLiveAddress = "https://app.codeflash.ai"
  var optimizeForm = OptimizeForm.auto
  var optimizeFindings = FindingsRule.auto
  var optimizeBudget = Duration.seconds(240)
  var optimizeBlocks = Settings.mostBlocks(of: .optimize)
  var optimizeLoopingTime = Duration.milliseconds(500)
  var optimizeTimeout = Duration.seconds(180)
  var memoryBlocks = Settings.mostBlocks(of: .memory)
  var memoryTop = 200
  var alpha = 0.01
  var headline: [String] = []
  var delta = 0.02
  /// A whole run of codeflash scatters by several percent and takes a minute a block, its peak with it; single functions scatter by up to
  /// three from process to process: of them 2 % can't be had in minutes.
  var deltas = [
    MetricDelta(of: LayerName.optimize.rawValue, delta: 0.05),
    MetricDelta(of: CodeflashRunPlan.memoryMetric, delta: 0.05),
    MetricDelta(of: LayerName.micro.rawValue, delta: 0.03),
  ]
  var setAside = true
  var gateRules: [GateRule] = []
  var gateUndecided = Gate.Undecided.pass
  var limitQueue = Duration.seconds(7200)
  var limitSetup = Duration.seconds(600)
  var limitTotal = Duration.seconds(7200)

  /// Where each value that was set came from, by the setting's name.
  var origins: [String: SettingOrigin] = [:]

  func origin(of key: String) -> SettingOrigin { origins[key] ?? .standard }

  /// More than any budget is for: a comparison ends when all is decided or the budget is spent.
  static func mostBlocks(of layer: LayerName) -> Int { layer == .startup || layer == .micro ? 10_000 : 1000 }

  static let longestBudget = Duration.seconds(604_800)

  /// The blocks of a layer: what is set, or for a run of one revision, which has no verdict to measure for, `alone`.
  func blocks(_ path: KeyPath<Settings, Int>, _ key: String, alone: Int, isComparison: Bool) -> Int {
    isComparison || origin(of: key) != .standard ? self[keyPath: path] : alone
  }
}

/// What the defaults are for a target other than codeflash.
extension Settings {
  private static let codeflash = "codeflash"

  /// So many of a project's commands are measured where nobody says which.
  static let mostScripts = 2

  /// What commands of these names usually can, their package's import, and the control.
  static func commands(scripts: [String], importName: String, isGuess: Bool? = true) -> [StartupCommand] {
    scripts.prefix(mostScripts).flatMap { script in
      ["--version", "--help"].map {
        StartupCommand(name: "\(script) \($0)", arguments: [script, $0], isControl: false, isGuess: isGuess)
      }
    } + [
      StartupCommand(
        name: "import \(importName)", arguments: ["python", "-c", "import \(importName)"], isControl: false),
      StartupCommand(name: "python -c pass", arguments: ["python", "-c", "pass"], isControl: true),
    ]
  }

  /// Replaces the defaults that are about codeflash, where nobody set them and the target is another package: timing
  /// codeflash's commands, or looking up a ref in its repository, would answer a question that nobody asked.
  mutating func followTarget() {
    guard targetPackage != Self.codeflash else { return }
    let isDefault = { [origins] (key: String) in origins[key] == nil }
    if isDefault("target.import") { targetImport = targetPackage.replacing(/[.-]/, with: "_") }
    if isDefault("target.repository") { targetRepository = nil }
    if isDefault("target.requirements") { targetRequirements = [] }
    if isDefault("micro.builtin-targets") { microBuiltinTargets = false }
    if microPytest != nil, !targetRequirements.contains(where: { $0.prefixMatch(of: /pytest\b(?!-)/) != nil }) {
      targetRequirements.append("pytest")
    }
    if isDefault("startup.commands") {
      startupCommands = Self.commands(scripts: [targetPackage], importName: targetImport)
    }
  }

  /// Takes the package of releases (`black==24.10.0`) for the target, where nobody set one and all of them are of the same.
  /// - Returns: what was taken, in words; `nil` where nothing was.
  mutating func follow(_ revisions: [NamedRevision]) -> String? {
    let releases = revisions.compactMap { revision -> String? in
      // What is no revision is said when it is looked up.
      guard case .release(let requirement)? = try? RevisionArgument(revision.text) else { return nil }
      return String(requirement.prefix { $0 != "=" && $0 != "[" })
    }
    func normal(_ name: String) -> String { name.lowercased().replacing(/[-_.]+/, with: "-") }
    guard origin(of: "target.package") == .standard, let name = releases.first, Set(releases.map(normal)).count == 1,
      !name.isEmpty, normal(name) != Self.codeflash
    else { return nil }
    targetPackage = name.lowercased()
    followTarget()
    return
      "the target is \(TerminalText.clean(targetPackage, limit: 100)), of which the releases are (target.package sets it)"
  }

  /// The metrics that matter most: the commands, what codeflash does as a whole, and what else is named.
  func headlineMetrics(of layers: LayerPlans) -> [String] {
    let commands = (layers.startup?.commands ?? []).filter { !$0.isControl }.map(\.name)
    let whole =
      layers.optimize == nil && layers.memory?.measuresRun != true
      ? [] : [CodeflashRunPlan.timeMetric, CodeflashRunPlan.memoryMetric]
    return (commands + whole + headline).uniqued()
  }

  /// The repository that git refs are looked up in.
  func requiredRepository() throws(Problem) -> RepositoryLocation {
    if let targetRepository { return targetRepository }
    throw Problem(
      what: "No repository is set for '\(targetPackage)'",
      why: "a git ref is looked up in a repository",
      fix: "run inside it, pass --repository, or name releases such as \(targetPackage)==1.2.3",
      exitStatus: .usage)
  }
}
