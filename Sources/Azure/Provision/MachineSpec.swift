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
