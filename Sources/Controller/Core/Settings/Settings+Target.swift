import Shared

/// What the defaults are for a target other than codeflash.
extension Settings {
  private static let codeflash = "codeflash"

  /// The package's own command, its import, and the control.
  static func commands(package: String, importName: String) -> [StartupCommand] {
    [
      StartupCommand(name: "\(package) --version", arguments: [package, "--version"], isControl: false),
      StartupCommand(name: "\(package) --help", arguments: [package, "--help"], isControl: false),
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
    if isDefault("startup.commands") {
      startupCommands = Self.commands(package: targetPackage, importName: targetImport)
    }
  }

  /// The repository that git refs are looked up in.
  func requiredRepository() throws(Problem) -> RepositoryLocation {
    if let targetRepository { return targetRepository }
    throw Problem(
      what: "nobody said where the git repository of '\(targetPackage)' is",
      why: "a revision that is a git ref has to be looked up in a repository",
      fix: "set 'target.repository' in cf-bench.yaml, or name releases such as \(targetPackage)==1.2.3",
      exitStatus: .usage)
  }
}
