import FoundationEssentials
import Shared
import Tools

extension AzureCheck {
  /// `az`: there, answering, new enough.
  static let az = AzureCheck("azure.az") { facts in
    let cli = facts.client.cli
    let answer = try await cli.ask([String: AnyVersion].self, ["version"])
    guard let version = answer["azure-cli"]?.text else {
      throw AzureError(.unreadable(excerpt: "no azure-cli in its versions"), during: "version")
    }
    let numbers = version.split(separator: ".").compactMap { Int($0) }
    let detail = "\(cli.program) \(version)"
    guard numbers.count >= 2, (numbers[0], numbers[1]) >= (2, 60) else {
      return .failed(
        "\(detail) is too old: 2.60 is the least", fix: "az upgrade, or: uv tool install --upgrade azure-cli")
    }
    if (numbers[0], numbers[1]) == (2, 78) {
      return .warning(
        "\(detail) runs another script than the one it is given, so that provision can't learn the host key",
        fix: "az upgrade, or: uv tool install --upgrade azure-cli")
    }
    return .ok(detail)
  }

  /// `az version` has strings and, under `extensions`, an object.
  private struct AnyVersion: Decodable {
    var text: String?
    init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
  }

  static let curl = AzureCheck("azure.curl") { facts in
    let result = try await ChildTool(program: "curl", environment: facts.client.cli.environment).run(
      ["--version"], limit: .seconds(10))
    return .ok(String(result.output.prefix { !$0.isNewline }.prefix(60)))
  }

  /// Who is signed in, and whether Azure still gives them a token.
  static let signIn = AzureCheck("azure.sign-in", needs: ["azure.az"]) { facts in
    let cli = facts.client.cli
    let accounts = try await cli.ask([Account].self, ["account", "list"])
    guard let first = accounts.first(where: { $0.isDefault == true }) ?? accounts.first else {
      // As az itself says it of any other call.
      throw AzureError(.said("Please run 'az login' to setup account."), during: "account list")
    }
    facts.learn(accounts: accounts)
    let chosen = accounts.first { $0.isNamed(cli.subscription) } ?? first
    // Only the moment is asked for, never the token.
    let end = try await cli.call(
      [
        "account", "get-access-token", "--subscription", chosen.id, "--query", "expiresOn", "--output", "tsv",
      ]
    ).trimmed.prefix(16)
    let kind = chosen.user.type == "servicePrincipal" ? "service principal" : chosen.user.type
    return .ok("\(chosen.user.name) (\(kind)), tenant \(chosen.tenantId), token until \(end)")
  }

  static let subscription = AzureCheck("azure.subscription", needs: ["azure.sign-in"]) { facts in
    let wanted = facts.client.cli.subscription
    let accounts = try facts.accounts
    guard let chosen = accounts.first(where: { wanted == nil ? $0.isDefault == true : $0.isNamed(wanted) }) else {
      let seen = accounts.map(\.name).joined(separator: ", ")
      guard let wanted else {
        return .failed("az is set to none; it sees \(seen)", fix: "az account set --subscription \(accounts[0].id)")
      }
      return .failed(
        "'\(wanted)' is none that \(accounts[0].user.name) sees; there is \(seen)",
        fix: "set the right one: --set azure.subscription=\(ShellWord.quoted(accounts[0].id)); a new one shows after "
          + "'az login', or 'az account list --refresh'")
    }
    facts.learn(account: chosen)
    guard chosen.state == nil || chosen.state == "Enabled" else {
      return .failed(
        "\(chosen.name) is \(chosen.state ?? "")", fix: "its owner has to enable it: https://portal.azure.com")
    }
    return .ok("\(chosen.name) (\(chosen.id))\(wanted == nil ? ", the one that az is set to" : "")")
  }
}

extension Account {
  func isNamed(_ text: String?) -> Bool {
    guard let text = text?.lowercased() else { return false }
    return id.lowercased() == text || name.lowercased() == text
  }
}

extension String {
  var trimmed: String { String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()) }
}
