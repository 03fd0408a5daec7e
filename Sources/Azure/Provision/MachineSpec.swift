import Shared

/// The VM to make, and the names of all that belongs to it.
public struct MachineSpec: Sendable {
  public var vm: AzureVM
  public var location: String
  public var size: String
  /// `PUBLISHER:OFFER:SKU:VERSION`.
  public var image: String
  /// Of the system's Premium SSD, in GB.
  public var diskGB: Int
  /// The admin user of the image, with sudo: for repairs. Benchmarks log in as another one.
  public var admin: String
  /// File of the public key that may log in.
  public var publicKey: String
  /// File of the custom data.
  public var cloudInit: String
  /// What is in it.
  public var customData: CustomData
  public var watchdog: WatchdogLimits
  /// UTC, `hhmm`: when Azure itself stops it each day, whatever happens.
  public var dailyStop: String

  public init(
    vm: AzureVM, location: String, size: String, image: String, diskGB: Int, admin: String = "cfadmin",
    publicKey: String, cloudInit: String, customData: CustomData, watchdog: WatchdogLimits = .builtIn,
    dailyStop: String = "0300"
  ) {
    self.vm = vm
    self.location = location
    self.size = size
    self.image = image
    self.diskGB = diskGB
    self.admin = admin
    self.publicKey = publicKey
    self.cloudInit = cloudInit
    self.customData = customData
    self.watchdog = watchdog
    self.dailyStop = dailyStop
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
