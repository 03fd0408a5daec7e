import Shared
import Tools

/// What Azure, or `az`, would not do: in words that a person can act on.
public struct AzureError: UserFacingError, Equatable {
  public enum Cause: Sendable, Equatable {
    /// A code of Azure's own, such as `AllocationFailed`, with its message.
    case refused(code: String, message: String)
    /// `az` ended with words that hold no code.
    case said(String)
    /// `az` failed without a word.
    case silent(ChildTool.Output.Ending)
    /// `az` could not be run.
    case tool(ToolFailure)
    /// `az` printed something that can't be read.
    case unreadable(excerpt: String)
    /// The call took too long.
    case late(Duration)
  }

  public var cause: Cause
  /// The call, without what may be secret: `vm start`.
  public var during: String

  public init(_ cause: Cause, during: String) {
    self.cause = cause
    self.during = during.split(separator: " ").prefix { !$0.hasPrefix("-") }.joined(separator: " ")
  }

  /// Reads what `az` wrote on standard error. Azure's own errors always have a line `Code: CODE`; those of the sign-in begin
  /// with `AADSTS`; a failed deployment is one line of JSON; the rest is the words of az itself.
  init(_ result: ChildTool.Output, during: String) {
    guard result.error.contains(where: { !$0.isWhitespace }) else {
      self.init(.silent(result.ending), during: during)
      return
    }
    let lines = result.error.split(whereSeparator: \.isNewline).map(String.init)
    let said = lines.first { $0.hasPrefix("ERROR: ") }?.dropFirst("ERROR: ".count) ?? lines.last?[...] ?? ""
    if let code = lines.first(where: { $0.hasPrefix("Code: ") })?.dropFirst("Code: ".count) {
      let message = lines.first { $0.hasPrefix("Message: ") }?.dropFirst("Message: ".count) ?? said
      self.init(.refused(code: String(code), message: String(message)), during: during)
    } else if let code = said.prefixMatch(of: /AADSTS[0-9]+/) {
      self.init(.refused(code: String(code.output), message: String(said)), during: during)
    } else if let inner = said.matches(of: /"code"\s*:\s*"([A-Za-z0-9]+)"/).last {
      self.init(.refused(code: String(inner.output.1), message: String(said)), during: during)
    } else if let bracketed = said.prefixMatch(of: /\(([A-Za-z0-9]+)\) (.*)/) {
      self.init(.refused(code: String(bracketed.output.1), message: String(bracketed.output.2)), during: during)
    } else {
      self.init(.said(String(said.prefix(600))), during: during)
    }
  }

  /// Azure's code; empty when there is none.
  public var code: String { if case .refused(let code, _) = cause { code } else { "" } }

  public var isMissing: Bool {
    ["ResourceNotFound", "ResourceGroupNotFound", "NotFound", "ParentResourceNotFound"].contains(code)
  }

  /// Whether the sign-in is too old: a new one may help.
  var isStaleSignIn: Bool {
    ["AADSTS700024", "AADSTS700082", "AADSTS70043", "ExpiredAuthenticationToken", "AADSTS50173"].contains(code)
  }

  /// Whether the same call may work in a while.
  public var isTransient: Bool {
    switch cause {
    case .refused(let code, let message):
      let passing = [
        "TooManyRequests", "InternalServerError", "ServerTimeout", "ServiceUnavailable", "GatewayTimeout", "BadGateway",
        "OperationPreempted", "Conflict", "AnotherOperationInProgress", "RetryableError", "InternalOperationError",
        "NetworkingInternalOperationError", "ServerBusy", "OperationTimedOut",
      ]
      return passing.contains(code) || (code == "OperationNotAllowed" && message.contains("requests"))
    case .said(let words):
      let passing = [
        "Connection aborted", "Failed to establish a new connection", "Read timed out", "Connection reset",
        "Max retries exceeded", "Temporary failure in name resolution", "RemoteDisconnected", "Bad Gateway",
        "Service Unavailable", "Too Many Requests", "Internal Server Error", "Connect timeout", "ConnectTimeoutError",
      ]
      return passing.contains { words.contains($0) }
    case .late: return true
    case .tool(let failure):
      guard case .system = failure.cause else { return false }
      return true
    case .silent, .unreadable: return false
    }
  }

  /// There is no room for this size at the moment.
  public var isLackOfRoom: Bool {
    ["AllocationFailed", "ZonalAllocationFailed", "OverconstrainedAllocationRequest"].contains(code)
  }
}
