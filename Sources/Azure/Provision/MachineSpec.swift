import Shared

/// The VM to make, and the names of all that belongs to it.
public struct MachineSpec: Sendable {
  public var settings: AzureSettings
  /// `PUBLISHER:OFFER:SKU:VERSION`.
  public var image: String
  /// The admin user of the image, with sudo: for repairs. Benchmarks log in as another one.
  static let admin = "cfadmin"
  /// File of the public key that may log in.
  public var publicKey: String
  /// File of the custom data.
  public var cloudInit: String
  /// What is in it.
  public var customData: CustomData

  var vm: AzureVM { settings.machine }

  public init(settings: AzureSettings, publicKey: String, cloudInit: String, customData: CustomData) {
    self.settings = settings
    image = settings.image
    self.publicKey = publicKey
    self.cloudInit = cloudInit
    self.customData = customData
  }

  static let versionTag = "cf-bench"
  static let imageTag = "cf-bench-image"
  static let customDataTag = "cf-bench-cloud-init"
  /// The version whose programs were brought, and so the last thing that is done: without it, something is missing inside.
  static let readyTag = "cf-bench-ready"
  public static let hostKeyTag = "cf-bench-host-key"
}

extension AzureVM {
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
