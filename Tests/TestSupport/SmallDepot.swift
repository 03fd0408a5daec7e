import Foundation

/// One module of the built-in project, with the function of its quick form and that one's recording: codeflash reads the
/// whole project first, which under a memory tool takes longer than all else.
public enum SmallDepot {
  private static let files = [
    "pyproject.toml", "depot/__init__.py", "depot/pricing.py", "tests/test_pricing.py",
    "recordings/depot.pricing.total_with_tax.json", "opportunities.json",
  ]

  public static func write(to folder: URL) throws {
    let depot = SchemaValidator.packageRoot.appending(path: "fixtures/depot")
    for name in files {
      let file = folder.appending(path: name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.copyItem(at: depot.appending(path: name), to: file)
    }
    let list = folder.appending(path: "opportunities.json")
    var content = try JSONSerialization.jsonObject(with: Data(contentsOf: list)) as? [String: Any] ?? [:]
    content["functions"] = (content["functions"] as? [[String: Any]])?.filter {
      $0["function"] as? String == content["quick"] as? String
    }
    try JSONSerialization.data(withJSONObject: content).write(to: list)
  }
}
