import Foundation

/// The built-in project of layers 3 and 4, for tests that change it.
public enum DepotProject {
  /// The function of its quick form.
  public static let quick = "depot.pricing:total_with_tax"

  /// The module of ``quick`` with those that it reaches, its tests and its recording: codeflash reads all of a project
  /// in each run.
  private static let part = [
    "pyproject.toml", "depot/__init__.py", "depot/catalog.py", "depot/money.py", "depot/pricing.py", "depot/records.py",
    "tests/test_pricing.py", "recordings/depot.pricing.total_with_tax.json", "opportunities.json",
  ]

  public static func write(to folder: URL, whole: Bool = false) throws {
    let depot = SchemaValidator.packageRoot.appending(path: "fixtures/depot")
    let files = try whole ? FileManager.default.subpathsOfDirectory(atPath: depot.path) : part
    for name in files where !name.contains("__pycache__") && !name.contains(".pytest_cache") {
      var isFolder: ObjCBool = false
      let source = depot.appending(path: name), file = folder.appending(path: name)
      guard FileManager.default.fileExists(atPath: source.path, isDirectory: &isFolder), !isFolder.boolValue else {
        continue
      }
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.copyItem(at: source, to: file)
    }
    if !whole { try keep([quick], in: folder) }
  }

  /// Leaves only these functions in a project's list; the first becomes that of its quick form.
  public static func keep(_ functions: [String], in project: URL) throws {
    try edit(project.appending(path: "opportunities.json")) { list in
      let all = list["functions"] as? [[String: Any]] ?? []
      list["functions"] = functions.compactMap { name in all.first { $0["function"] as? String == name } }
      list["quick"] = functions.first
    }
  }

  public static func edit(_ file: URL, _ change: (inout [String: Any]) -> Void) throws {
    var content = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] ?? [:]
    change(&content)
    try JSONSerialization.data(withJSONObject: content).write(to: file)
  }
}
