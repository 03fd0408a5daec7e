/// What an agent can do beyond the protocol's first release. A controller asks for none of it where the hello does not name it.
public enum AgentFeature: String, CaseIterable, Sendable {
  /// Takes files piece by piece over its own door: `receive`, `piece`.
  case receive
  /// Goes on as another agent: `upgrade`.
  case upgrade
  /// Lists its jobs: `jobs`.
  case jobs
  /// Answers under its lock whether the machine may be stopped: `mayStop`.
  case mayStop
  /// Continues jobs whose runner died, and tells a controller that is ahead of its journal where to go on.
  case resume
}

extension HelloReply {
  public func has(_ feature: AgentFeature) -> Bool { features?.contains(feature.rawValue) ?? false }
}
