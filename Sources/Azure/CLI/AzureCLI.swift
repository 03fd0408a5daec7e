import FoundationEssentials
import Shared
import Tools

/// The real `az`, called as a program: no request of our own ever goes to Azure from here.
public struct AzureCLI: Sendable {
  /// The program: `CF_BENCH_AZ`, or `az` of the path.
  var program: String
  var environment: [String: String]
  var subscription: String?
  /// How long one call may take; az itself tries some failures again for up to a minute.
  var callLimit: Duration

  public init(environment: [String: String], subscription: String? = nil, callLimit: Duration = .seconds(120)) {
    program = environment["CF_BENCH_AZ"] ?? "az"
    self.callLimit = callLimit
    self.subscription = subscription
    // Plain answers, nothing asked, nothing sent home.
    self.environment = environment.merging([
      "AZURE_CORE_ONLY_SHOW_ERRORS": "true", "AZURE_CORE_NO_COLOR": "true", "AZURE_CORE_SURVEY_MESSAGE": "false",
      "AZURE_CORE_COLLECT_TELEMETRY": "false", "AZURE_CORE_DISABLE_CONFIRM_PROMPT": "true", "PYTHONWARNINGS": "ignore",
      "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no", "LC_ALL": "C.UTF-8",
    ]) { $1 }
    // Uncompiled Python makes every call three times as slow.
    self.environment["PYTHONDONTWRITEBYTECODE"] = nil
  }

  /// One call, once; a sign-in that is stale or, in a GitHub job, not there yet, is made when that is possible, and the call
  /// again.
  /// - Returns: standard output.
  @discardableResult
  public func call(_ arguments: [String], limit: Duration? = nil) async throws -> String {
    do { return try await attempt(arguments, limit: limit) } catch let error as AzureError
      where error.isStaleSignIn || (error.isSignInMissing && SignInRenewal.knowsWho(environment))
    {
      guard let renewal = SignInRenewal(environment: environment, cli: self) else { throw error }
      try await renewal.signIn()
      return try await attempt(arguments, limit: limit)
    }
  }

  /// One call whose answer is JSON.
  public func ask<Answer: Decodable>(
    _ type: Answer.Type, _ arguments: [String], limit: Duration? = nil
  ) async throws -> Answer {
    let text = try await call(arguments + ["--output", "json"], limit: limit)
    do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
      let excerpt = text.isEmpty ? "nothing at all" : String(text.prefix(300))
      throw AzureError(
        .unreadable(excerpt: "\(DecodingErrorText.describe(error)), in: \(excerpt)"),
        during: arguments.joined(separator: " "))
    }
  }

  /// The words of the call as a person would type them.
  public func line(_ arguments: [String]) -> String {
    ShellWord.line(["az"] + complete(arguments))
  }

  private func complete(_ arguments: [String]) -> [String] {
    // `rest` with a full address, `login` and `account` know nothing of it.
    let withoutSubscription = ["login", "account", "version", "cloud", "rest"]
    guard let subscription, !withoutSubscription.contains(arguments.first ?? "") else { return arguments }
    return arguments + ["--subscription", subscription]
  }

  /// As ``call(_:limit:)``, without looking at the sign-in.
  func attempt(_ arguments: [String], limit: Duration? = nil) async throws -> String {
    let limit = limit ?? callLimit
    let during = arguments.joined(separator: " ")
    do {
      let result = try await ChildTool(program: program, environment: environment).run(
        complete(arguments), limit: limit)
      try Task.checkCancellation()  // a call that was given up ended by a signal, which says nothing of Azure
      guard result.succeeded else { throw AzureError(standardError: result.error, during: during) }
      return result.output
    } catch is LimitPassed {
      throw AzureError(.late(limit), during: during)
    } catch let error as ToolMissing {
      throw AzureError(.toolMissing(program: error.program, words: error.words), during: during)
    }
  }
}
