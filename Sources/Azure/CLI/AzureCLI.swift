import FoundationEssentials
import Shared
import Tools

/// The real `az`, called as a program: no request of our own ever goes to Azure from here.
public struct AzureCLI: Sendable {
  /// The program: `CF_BENCH_AZ`, or `az` of the path.
  var program: String
  var environment: [String: String]
  var subscription: String?
  /// How long one call may take.
  var callLimit: Duration
  /// Runs `az`; tests have a model of Azure answer in its place.
  var run: @Sendable (_ cli: AzureCLI, _ arguments: [String], _ limit: Duration) async throws -> ChildTool.Output = {
    try await ChildTool(program: $0.program, environment: $0.environment).run($1, limit: $2)
  }
  /// What every wait in this module goes by, and what o'clock it is; a model of Azure brings its own.
  var clock: any Clock<Duration> = ContinuousClock()
  var now: @Sendable () -> Date = { .now }

  init(environment: [String: String], settings: AzureSettings = AzureSettings()) {
    program = environment["CF_BENCH_AZ"] ?? "az"
    callLimit = settings.callLimit
    subscription = settings.subscription
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
      let result = try await run(self, complete(arguments), limit)
      try Task.checkCancellation()  // a call that was given up ended by a signal, which says nothing of Azure
      guard result.succeeded else { throw AzureError(result, during: during) }
      return result.output
    } catch is LimitPassed {
      throw AzureError(.late(limit), during: during)
    } catch let error as ToolFailure {
      throw AzureError(.tool(error), during: during)
    }
  }
}
