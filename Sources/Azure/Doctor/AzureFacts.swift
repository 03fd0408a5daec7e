import FoundationEssentials
import Shared
import Synchronization

/// What the checks work with: how to ask, and what the earlier ones have found.
public final class AzureFacts: Sendable {
  public let client: AzureClient

  /// No single call may use up the patience of somebody who asks what is wrong.
  private static let callLimit = Duration.seconds(30)

  public init(client: AzureClient) {
    var client = client
    client.cli.callLimit = min(client.cli.callLimit, Self.callLimit)
    self.client = client
  }

  private struct Known {
    var accounts: [Account]?
    var account: Account?
    var view: VMView?
  }
  private let known = Mutex(Known())

  /// All that somebody is signed in to.
  var accounts: [Account] {
    get throws { try Self.found(known.withLock(\.accounts), "azure.sign-in") }
  }
  /// The subscription that is used.
  var account: Account {
    get throws { try Self.found(known.withLock(\.account), "azure.subscription") }
  }
  /// The VM as Azure describes it.
  public var view: VMView {
    get throws { try Self.found(known.withLock(\.view), "azure.vm") }
  }
  /// The same, once it has been looked at.
  public var seenView: VMView? { known.withLock(\.view) }

  func learn(accounts: [Account]) { known.withLock { $0.accounts = accounts } }
  func learn(account: Account) { known.withLock { $0.account = account } }
  func learn(view: VMView) { known.withLock { $0.view = view } }

  private static func found<Value>(_ value: Value?, _ check: String) throws -> Value {
    guard let value else {
      throw Problem(
        what: "\(check) was not looked at before", fix: "report this: the order of the checks is wrong",
        exitStatus: .infrastructure)
    }
    return value
  }

  /// What the signed-in one is called.
  var who: String { known.withLock { $0.account?.user.name ?? $0.accounts?.first?.user.name } ?? "CLIENT" }

  /// Where the network's resources are.
  var network: String { get throws { "\(client.vm.groupID(in: try account.id))/providers/Microsoft.Network" } }

  /// A GET of Azure's own interface: one request, and a third of what `az network …` needs to load.
  func read<Answer: Decodable>(_ type: Answer.Type, _ path: String, version: String, filter: String? = nil) async throws
    -> Answer
  {
    let query = filter.map { "&$filter=\($0)" } ?? ""
    return try await client.cli.ask(
      type, ["rest", "--method", "get", "--url", "\(path)?api-version=\(version)\(query)"])
  }
}

/// A list of Azure's.
struct Listed<Element: Decodable>: Decodable { var value: [Element] }

extension AzureError {
  var isForbidden: Bool { code == "AuthorizationFailed" || code == "LinkedAuthorizationFailed" }
}
