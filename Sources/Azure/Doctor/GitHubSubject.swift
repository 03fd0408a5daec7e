import FoundationEssentials
import Shared

extension AzureCheck {
  /// In a workflow: what the federated credential must have as its subject, letter by letter.
  static let subject = AzureCheck("azure.oidc", needs: ["azure.curl"]) { facts in
    guard let renewal = SignInRenewal(environment: facts.client.cli.environment, cli: facts.client.cli) else {
      let documented = GitHubSubject(environment: facts.client.cli.environment)
      return .warning(
        "this job may not ask for an ID token, so that a sign-in by OIDC can't begin or be renewed; "
          + "Azure would see \(documented.words)",
        fix: "give the job: permissions: {id-token: write, contents: read}")
    }
    let token = try await renewal.assertion()
    guard let subject = GitHubSubject.subject(ofToken: token) else {
      throw AzureError(.unreadable(excerpt: "GitHub's token has no subject"), during: "login")
    }
    return .ok("Azure sees the subject \(subject)")
  }
}

/// Who a GitHub job is to Azure.
/// Source: GitHub's "OpenID Connect reference", the subject claim.
struct GitHubSubject {
  var repository: String
  var event: String
  var ref: String

  init(environment: [String: String]) {
    repository = environment["GITHUB_REPOSITORY"] ?? "OWNER/REPOSITORY"
    event = environment["GITHUB_EVENT_NAME"] ?? ""
    ref = environment["GITHUB_REF"] ?? "refs/heads/BRANCH"
  }

  /// A job can't see whether it has an environment, and organisations may have another form: all are said.
  var words: String {
    let own = event == "pull_request" ? "repo:\(repository):pull_request" : "repo:\(repository):ref:\(ref)"
    return "\(own) (repo:\(repository):environment:NAME for a job with an environment)"
  }

  /// The claim `sub` of a JSON Web Token (RFC 7519), which is not verified: Azure does that.
  static func subject(ofToken token: String) -> String? {
    struct Claims: Decodable { var sub: String }
    let parts = token.split(separator: ".")
    guard parts.count == 3 else { return nil }
    // base64url without padding (RFC 7515, section 2).
    let plain = parts[1].replacing("-", with: "+").replacing("_", with: "/")
    let padded = String(plain) + String(repeating: "=", count: (4 - plain.count % 4) % 4)
    return Data(base64Encoded: padded).flatMap { try? JSONDecoder().decode(Claims.self, from: $0) }?.sub
  }
}
