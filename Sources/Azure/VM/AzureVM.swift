/// Which virtual machine: everything that Azure needs to find it.
public struct AzureVM: Sendable, Equatable {
  /// Name or id; `nil` for the one that `az` is set to.
  public var subscription: String?
  public var group: String
  public var name: String

  public init(subscription: String? = nil, group: String, name: String) {
    self.subscription = subscription
    self.group = group
    self.name = name
  }

  /// The network security group that `provision` makes for it.
  public var securityGroup: String { "\(name)-nsg" }
  /// The public address that `provision` makes for it.
  public var publicAddress: String { "\(name)-ip" }
}

extension AzureVM: CustomStringConvertible {
  public var description: String { "\(group)/\(name)" }
}
