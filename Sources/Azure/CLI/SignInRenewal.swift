import Foundation
import Shared

/// A sign-in inside a GitHub job, the first or a new one: its OIDC assertion lives five minutes, the access token an hour, and
/// `az` renews neither (AADSTS700024). As long as the job runs, GitHub's token address gives fresh assertions.
/// Source: GitHub's "OpenID Connect reference", request with the Actions ID token.
struct SignInRenewal: Sendable {
  private let address: String
  private let bearer: String
  private let environment: [String: String]
  private let cli: AzureCLI

  private static let audience = "api://AzureADTokenExchange"

  /// `nil` outside of a job that may have an ID token.
  init?(environment: [String: String], cli: AzureCLI) {
    guard let address = environment["ACTIONS_ID_TOKEN_REQUEST_URL"],
      let bearer = environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"], !address.isEmpty, !bearer.isEmpty
    else { return nil }
    self.address = address
    self.bearer = bearer
    self.environment = environment
    self.cli = cli
  }

  /// Whether the job was told whose sign-in it is to make; otherwise only an older one can be renewed.
  static func knowsWho(_ environment: [String: String]) -> Bool {
    ["AZURE_CLIENT_ID", "AZURE_TENANT_ID"].allSatisfy { environment[$0]?.isEmpty == false }
  }

  func signIn() async throws {
    let (client, tenant) = try await identity()
    let token = try await assertion()
    // In a file, which az reads for an argument that begins with @: arguments themselves can be read by every user.
    let folder = try ScratchFolder("token")
    defer { folder.remove() }
    let file = folder.path + "/token"
    guard
      FileManager.default.createFile(atPath: file, contents: Data(token.utf8), attributes: [.posixPermissions: 0o600])
    else { throw StateFolder.failure(file, "can't be written") }
    _ = try await cli.attempt(
      [
        "login", "--service-principal", "--username", client, "--tenant", tenant, "--federated-token", "@\(file)",
        "--allow-no-subscriptions", "--output", "none",
      ])
  }

  /// A fresh token of GitHub's for Azure: says who the job is.
  func assertion() async throws -> String {
    let separator = address.contains("?") ? "&" : "?"
    let asked =
      "\(address)\(separator)audience=\(Self.audience.replacing(":", with: "%3A").replacing("/", with: "%2F"))"
    let answer = try await Web(environment: environment).get(
      asked, headers: ["Authorization: Bearer \(bearer)"], what: "GitHub's token address")
    guard let token = try? JSONDecoder().decode(TokenAnswer.self, from: Data(answer.utf8)).value else {
      throw AzureError(.unreadable(excerpt: "GitHub's token address gave no token"), during: "login")
    }
    return token
  }

  private func identity() async throws -> (client: String, tenant: String) {
    if let client = environment["AZURE_CLIENT_ID"], let tenant = environment["AZURE_TENANT_ID"], !client.isEmpty,
      !tenant.isEmpty
    {
      return (client, tenant)
    }
    let text = try await cli.attempt(["account", "show", "--output", "json"])
    let account = try JSONDecoder().decode(Account.self, from: Data(text.utf8))
    return (account.user.name, account.tenantId)
  }

  private struct TokenAnswer: Decodable { var value: String }
}

/// What `az account show` says.
public struct Account: Decodable, Sendable {
  public struct User: Decodable, Sendable {
    public var name: String
    public var type: String
  }
  public var id: String
  public var name: String
  public var tenantId: String
  public var user: User
  /// Whether az uses it when none is named.
  public var isDefault: Bool?
  /// `Enabled`, or why not.
  public var state: String?
}
