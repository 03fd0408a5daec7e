import Shared
import Tools

extension AzureError {
  public var exitStatus: ExitStatus {
    switch cause {
    case .tool(let failure): failure.exitStatus
    case .said where isSignInMissing || isUnknownSubscription: .usage
    default: .infrastructure
    }
  }

  private var words: String {
    switch cause {
    case .refused(_, let message): message
    case .said(let words): words
    case .silent(let ending): "az \(ending.words) and said nothing"
    case .tool(let failure): failure.why ?? ""
    case .unreadable(let excerpt): excerpt
    case .late(let limit): "no answer in \(limit.words)"
    }
  }

  /// Nobody has signed in here yet.
  var isSignInMissing: Bool { words.contains("az login") && !words.contains("AADSTS") }
  private var isUnknownSubscription: Bool {
    words.contains("Check the spelling and casing") || words.contains("doesn't exist in cloud")
  }

  public var what: String {
    switch cause {
    case .tool(let failure): failure.what
    case .late: "'az \(during)' did not end"
    case .unreadable: "'az \(during)' printed something that cf-bench does not understand"
    case .said where isSignInMissing: "nobody is signed in to Azure"
    case .said where isUnknownSubscription: "there is no such subscription for this sign-in"
    case .said, .silent: "'az \(during)' failed"
    case .refused(let code, _): Self.table[code]?.what ?? signInWhat ?? "Azure refused '\(during)' (\(code))"
    }
  }

  private var signInWhat: String? { code.hasPrefix("AADSTS") ? "Azure's sign-in refused (\(code))" : nil }

  public var why: String? {
    if case .refused("AuthorizationFailed", let message) = cause,
      let action = message.firstMatch(of: /perform action '([^']+)'/)?.output.1
    {
      return "the role lacks the action \(action)\n\(message.prefix(500))"
    }
    return words.isEmpty ? nil : String(words.prefix(600))
  }

  public var fix: String {
    switch cause {
    case .tool(let failure) where !failure.isMissing: failure.fix
    case .tool(let failure):
      (failure.cause == .notFound ? "" : "\(failure.fix); or ")
        + "install the Azure CLI (https://aka.ms/azure-cli; or: uv tool install azure-cli), or measure here: --machine local"
    case .silent:
      "'az \(during) --debug' shows more; if that says nothing either, install it anew: uv tool install --reinstall azure-cli"
    case .late: "check the network, then try again; 'az \(during) --debug' shows where it hangs"
    case .unreadable: "cf-bench was tried with az 2.91: install that version, or report the lines above"
    case .said where isSignInMissing: "az login, or measure on this machine: --machine local"
    case .said where isUnknownSubscription:
      "'az account list -o table' shows yours; set it with --set azure.subscription=ID, or measure on this machine: --machine local"
    case .said: isTransient ? "check the network, then try again" : "run 'az \(during) --debug' to see more"
    case .refused(let code, let message):
      Self.table[code]?.fix(message)
        ?? (signInWhat == nil ? "see what Azure says above; 'cf-bench doctor' checks the whole chain" : Self.signInFix)
    }
  }

  private static let signInFix =
    "sign in again (az login); in a workflow check client-id, tenant-id and the federated credential of azure/login"

  private struct Row: Sendable {
    var what: String
    var fix: @Sendable (String) -> String
    init(_ what: String, _ fix: String) {
      self.what = what
      self.fix = { _ in fix }
    }
    init(_ what: String, _ fix: @escaping @Sendable (String) -> String) {
      self.what = what
      self.fix = fix
    }
  }

  private static let later = "try again in a while; nothing was left running"
  private static let noRoom = """
    try again later, or take another size or region: cf-bench deprovision, then
    cf-bench provision --set azure.size=Standard_D4as_v5 (or --set azure.location=westus3)
    """

  private static let table: [String: Row] = [
    "ResourceNotFound": Row(
      "the VM is not there",
      "make it with 'cf-bench provision', or correct azure.vm and azure.resource-group; to measure on this machine: --machine local"
    ),
    "ParentResourceNotFound": Row("what cf-bench needs there is missing", "cf-bench provision makes it again"),
    "ResourceGroupNotFound": Row(
      "the resource group is not there",
      "make all of it with 'cf-bench provision', or correct azure.resource-group and azure.subscription; to measure on this machine: --machine local"
    ),
    "SubscriptionNotFound": Row(
      "the subscription is not there", "'az account list -o table' shows yours; set it with --set azure.subscription=ID"
    ),
    "AuthorizationFailed": Row("this sign-in may not do that") { message in
      let scope = message.firstMatch(of: /over scope '([^']+)'/).map { String($0.output.1) } ?? "the resource group"
      return """
        an owner can grant it: az role assignment create --role 'Virtual Machine Contributor' --scope \(scope) --assignee CLIENT
        (docs/azure.md lists the least role; a fresh assignment takes some minutes to hold)
        """
    },
    "LinkedAuthorizationFailed": Row(
      "this sign-in may not connect these resources", "an owner has to grant it; docs/azure.md lists the least role"),
    "AllocationFailed": Row("Azure has no room for this VM at the moment", noRoom),
    "ZonalAllocationFailed": Row("Azure has no room for this VM in its zone at the moment", noRoom),
    "OverconstrainedAllocationRequest": Row("Azure has no room for this VM as it is set up", noRoom),
    "SkuNotAvailable": Row("this VM size can't be had in the region", noRoom),
    "QuotaExceeded": Row(
      "the subscription's quota is used up", "ask for more in the portal under Quotas, or take a smaller azure.size"),
    "OperationPreempted": Row("another operation on the VM went first", later),
    "Conflict": Row("the VM is busy with another operation", later),
    "AnotherOperationInProgress": Row("Azure is busy with another operation on it", later),
    "TooManyRequests": Row("Azure asks to slow down", later),
    "InternalServerError": Row("Azure has a fault of its own", later),
    "ServiceUnavailable": Row("Azure can't serve at the moment", later),
    "OperationNotAllowed": Row("Azure does not allow that now") { message in
      if message.contains("quota") || message.contains("Quota") {
        return "ask for more quota in the portal under Quotas, or take a smaller azure.size"
      }
      return message.contains("requests") ? later : "'cf-bench status' shows the VM's state"
    },
    "AADSTS700024": Row(
      "the workflow's sign-in to Azure has ended",
      "give the job 'permissions: id-token: write', so that cf-bench can ask GitHub for a new one"),
    "AADSTS700213": Row(
      "Azure knows no federated credential for this workflow",
      "compare the subject above with the credential's: branch, pull request and environment each have their own"),
    "AADSTS7000215": Row(
      "the client secret is wrong", "sign in with the secret's value, not its id; or better, use OIDC"),
    "AADSTS7000222": Row("the client secret is too old", "make a new one; or better, use OIDC, which has none"),
    "ExpiredAuthenticationToken": Row("the sign-in to Azure has ended", "az login"),
    "RoleDefinitionWithSameNameExists": Row(
      "the role for this VM's name belongs to another resource group or subscription of the same directory",
      "take another name for the VM: --set azure.vm=NAME"),
    "PropertyChangeNotAllowed": Row(
      "the VM exists with other settings that can't be changed", "cf-bench deprovision, then provision again"),
  ]
}
