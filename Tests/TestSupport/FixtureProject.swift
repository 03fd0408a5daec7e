import Foundation

/// A small real Python project with a command of its own, to be installed and measured in tests.
public struct FixtureProject: Sendable {
  /// The distribution's, the module's and the command's name.
  public static let name = "slowpoke"
  public var folder: String

  /// Writes the project. `slowpoke --version` waits for as long as `spin` additions take, 0.2 µs each, before it answers: a
  /// wait takes no core from other tests, and differs from none whatever else runs. `exitCode` is what it exits with.
  public init(in folder: String, spin: Int, exitCode: Int = 0) throws {
    self.folder = folder
    let backend = LightBackend(name: Self.name, version: "1.0", source: ".", function: "\(Self.name).cli:main")
    for (name, text) in try backend.files { try write(name, text) }
    try write("\(Self.name)/__init__.py", "import json\n")
    try write(
      "\(Self.name)/cli.py",
      """
      import sys, time

      def spin(count):
          total = 0
          for number in range(count):
              total += number
          return total

      def main():
          time.sleep(\(spin) * 2e-7)
          print("slowpoke 1.0")
          sys.stderr.write("exits as told\\n" if \(exitCode) else "")
          return \(exitCode)
      """)
  }

  public func write(_ name: String, _ text: String) throws {
    let url = URL(filePath: folder).appending(path: name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  /// The settings that measure it: `startup` blocks and one micro target.
  public static func settings(blocks: Int, repository: String? = nil) -> String {
    """
    layers: [startup, micro]
    target:
      package: \(name)
      import: \(name)
      requirements: []
    \(repository.map { "  repository: \($0)\n" } ?? "")
    startup:
      commands:
        - name: slowpoke --version
          run: [slowpoke, --version]
        - name: python -c pass
          run: [python, -c, pass]
          control: true
      blocks: \(blocks)
      import-runs: 2
    micro:
      builtin-targets: false
      targets: targets.yaml
      blocks: \(blocks)
      repeats: 2
      repeat-time: 0.01
    statistics:
      set-aside: false
    """
  }

  /// The micro target that goes with ``settings(blocks:repository:)``.
  public static let targets = """
    targets:
      - name: spin
        group: arithmetic
        candidates: ["slowpoke.cli:spin"]
        setup: |
          def call():
              return target(2000)
    """
}
