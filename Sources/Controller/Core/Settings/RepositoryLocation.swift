import SystemPackage
import Yams

/// Where git finds a repository: an address (`https://…`, `git@host:path`), or a folder on this machine.
enum RepositoryLocation: Equatable, Sendable {
  case address(String)
  case folder(FilePath)

  /// As git takes it on its command line.
  var text: String {
    switch self {
    case .address(let address): address
    case .folder(let path): path.string
    }
  }
}

extension RepositoryLocation: SettingValue {
  static var expectation: String { "the address of a git repository, or the path of one" }

  static func read(_ node: Node, in context: ReadingContext) throws(SettingsError) -> RepositoryLocation {
    let text = try String.read(node, in: context)
    // A leading dash would be an option to git, whatever its user meant.
    guard text.first != "-" else { throw context.wrong(node, expected: expectation) }
    return isAddress(text) ? .address(text) : .folder(context.absolute(FilePath(text)))
  }

  /// git's own rule (git-clone(1), "GIT URLS"): a scheme, or a colon before the first slash.
  private static func isAddress(_ text: String) -> Bool {
    text.contains("://") || text.prefix { $0 != "/" }.contains(":")
  }

  var yaml: String? { text.yaml }

  func resolved(in context: ReadingContext) -> RepositoryLocation {
    guard case .folder(let path) = self else { return self }
    return .folder(context.absolute(path))
  }
}
