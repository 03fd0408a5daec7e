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
  var network: String { "\(name)-vnet" }
  var interface: String { "\(name)-nic" }
  var disk: String { "\(name)-disk" }
  var role: String { "cf-bench deallocate \(name)" }

  func groupID(in subscription: String) -> String { "/subscriptions/\(subscription)/resourceGroups/\(group)" }
  func id(in subscription: String) -> String {
    "\(groupID(in: subscription))/providers/Microsoft.Compute/virtualMachines/\(name)"
  }
  func scheduleID(in subscription: String) -> String {
    "\(groupID(in: subscription))/providers/Microsoft.DevTestLab/schedules/shutdown-computevm-\(name)"
  }
}

extension AzureVM: CustomStringConvertible {
  public var description: String { "\(group)/\(name)" }
}
