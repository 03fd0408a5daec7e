import Shared

/// One call that makes or removes something, and how to see that it is not needed.
struct AzureStep: Sendable {
  /// What it is for, as a person would say it.
  var purpose: String
  var arguments: [String]
  /// A call that succeeds when the thing is there; `nil` when that is known otherwise.
  var look: [String]?
  /// What the look prints when the thing is not there, for lists.
  var emptyAnswer: String?
  /// Whether it may be there though what it is for is new: a role belongs to the directory.
  var mayBeOlder = false
  /// Puts right what is there; where nothing is there, another step makes it right at once.
  var onlyMends = false
}

/// Looks whether steps are needed, and carries out those that are.
struct StepRunner: Sendable {
  var client: AzureClient
  var note: @Sendable (String) -> Void
  /// A step as a person could paste it.
  var line: @Sendable (AzureStep) -> String

  /// How long one call may take: `az vm create` waits for the whole deployment.
  private static let callLimit = Duration.seconds(900)
  /// How long what passes may take to pass.
  private static let retryLimit = Duration.seconds(180)

  /// Makes what is not there.
  /// - Parameter inNew: what holds the things was made just now, so that most need no look.
  /// - Returns: the purposes of what was made.
  func carryOut(_ steps: [AzureStep], inNew: Bool = false) async throws -> [String] {
    var done: [String] = []
    for step in steps {
      if inNew, step.onlyMends { continue }
      if !inNew || step.mayBeOlder, try await !isNeeded(step) { continue }
      note("making \(step.purpose)")
      do {
        _ = try await client.retry(for: Self.retryLimit, note: note).with {
          try await client.cli.call(step.arguments, limit: Self.callLimit)
        } isPassing: {
          $0.isTransient || Self.isLate($0)
        }
      } catch let error as AzureError where error.code == "RoleAssignmentExists" {
        continue  // made by somebody else meanwhile
      } catch let error as AzureError where error.code == "AuthorizationFailed" {
        throw StepRefused(purpose: step.purpose, line: line(step), error: error)
      }
      done.append(step.purpose)
    }
    return done
  }

  /// A new identity takes a while to be known everywhere, and so does a new role, which az looks up by its name.
  static func isLate(_ error: AzureError) -> Bool {
    if case .said(let words) = error.cause { return words.hasPrefix("Role '") && words.contains("doesn't exist") }
    return ["PrincipalNotFound", "RoleDefinitionDoesNotExist"].contains(error.code)
  }

  func isNeeded(_ step: AzureStep) async throws -> Bool {
    guard let look = step.look else { return true }
    do {
      let answer = try await client.retry(for: Self.retryLimit, note: note).with {
        try await client.cli.call(look + ["--output", "json"])
      }
      return answer.filter { !$0.isWhitespace } == step.emptyAnswer
    } catch let error as AzureError where error.isMissing { return !step.onlyMends }
  }
}

/// This sign-in may not make one of the parts; somebody else may, with one line.
struct StepRefused: UserFacingError {
  var purpose: String
  var line: String
  var error: AzureError
  var what: String { "\(error.what): making \(purpose)" }
  var why: String? { error.why }
  var fix: String {
    """
    ask an owner of the subscription to run this, then run cf-bench provision again, which goes on from there:
    \(line)
    """
  }
  var exitStatus: ExitStatus { error.exitStatus }
}
