import Foundation

/// What a project of a test needs to install at once, without setuptools: its `pyproject.toml` and the build backend of
/// `fixtures/spinner`.
public struct LightBackend: Encodable {
  let name, version, source, module, function, command: String
  let needs: [String]

  /// - Parameters:
  ///   - source: the folder that holds the module of this name, seen from the project's.
  ///   - function: what the command of this name calls, such as `tidbit:main`.
  ///   - needs: requirements.
  public init(name: String, version: String, source: String, function: String, needs: [String] = []) {
    (self.name, self.version, self.source, module, self.needs) = (name, version, source, name, needs)
    self.function = function
    command = "\(name) = \(function)"
  }

  private var project: String {
    // Requirements hold single quotes or double ones; none has a character that needs more than this in TOML.
    let needs = needs.map { "\"" + $0.replacing("\"", with: "\\\"") + "\"" }.joined(separator: ", ")
    return """
      [project]
      name = "\(name)"
      version = "\(version)"
      requires-python = ">=3.9"
      dependencies = [\(needs)]
      [project.scripts]
      \(name) = "\(function)"
      [build-system]
      requires = []
      build-backend = "backend"
      backend-path = ["."]
      """
  }

  /// By name, for the project's own folder.
  public var files: [String: String] {
    get throws {
      let code = SchemaValidator.packageRoot.appending(path: "fixtures/spinner/backend.py")
      return [
        "backend.py": try String(contentsOf: code, encoding: .utf8),
        "backend.json": String(decoding: try JSONEncoder().encode(self), as: UTF8.self), "pyproject.toml": project,
      ]
    }
  }
}
