extension AzureCheck {
  /// What can be seen of Azure from here, in the order in which a person would mend it.
  /// - Parameter isWorkflow: inside a job of GitHub's.
  public static func chain(isWorkflow: Bool) -> [AzureCheck] {
    [az, curl] + (isWorkflow ? [subject] : []) + [
      signIn, subscription, role, vm, quota, identity, lease, rules, address,
    ]
  }

  /// What concerns this machine and the last net.
  public static let surroundings = [intents, clock, autoShutdown]
}
