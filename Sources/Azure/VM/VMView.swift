import FoundationEssentials

/// A VM as Azure describes it at one moment (`az vm get-instance-view`).
public struct VMView: Decodable, Sendable {
  /// Power states, as the codes of the instance view have them after `PowerState/`.
  public enum Power: String, Sendable {
    case starting, running, stopping, stopped, deallocating, deallocated, unknown

    /// Only deallocated costs nothing; a VM that was shut down from inside is billed like a running one.
    public var isBilled: Bool { self != .deallocated }
  }

  public struct Status: Decodable, Sendable {
    var code: String?
    var message: String?
    var displayStatus: String?
  }

  private struct InstanceView: Decodable { var statuses: [Status]? }
  private struct Hardware: Decodable { var vmSize: String? }
  public struct Identity: Decodable, Sendable { public var principalId: String? }

  public var id: String
  public var name: String
  public var location: String
  public var tags: [String: String]
  public var size: String?
  public var identity: Identity?
  private var statuses: [Status]

  private enum Key: String, CodingKey {
    case id, name, location, tags, instanceView, hardwareProfile, identity
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    id = try values.decode(String.self, forKey: .id)
    name = try values.decode(String.self, forKey: .name)
    location = try values.decode(String.self, forKey: .location)
    tags = try values.decodeIfPresent([String: String].self, forKey: .tags) ?? [:]
    statuses = try values.decodeIfPresent(InstanceView.self, forKey: .instanceView)?.statuses ?? []
    size = try values.decodeIfPresent(Hardware.self, forKey: .hardwareProfile)?.vmSize
    identity = try values.decodeIfPresent(Identity.self, forKey: .identity)
  }

  /// The group in the VM's id: `/subscriptions/S/resourceGroups/G/providers/…`.
  public var group: String {
    let parts = id.split(separator: "/")
    guard let index = parts.firstIndex(where: { $0.lowercased() == "resourcegroups" }), index + 1 < parts.endIndex
    else {
      return ""
    }
    return String(parts[index + 1])
  }

  public var power: Power {
    let code = statuses.compactMap(\.code).first { $0.hasPrefix("PowerState/") }
    return code.flatMap { Power(rawValue: String($0.dropFirst("PowerState/".count))) } ?? .unknown
  }

  /// Why the last operation failed, which `--no-wait` hides: `ProvisioningState/failed/AllocationFailed` and its message.
  public var failure: AzureError? {
    let prefix = "ProvisioningState/failed"
    guard let status = statuses.first(where: { $0.code?.lowercased().hasPrefix(prefix.lowercased()) == true }) else {
      return nil
    }
    let code = status.code?.dropFirst(prefix.count).drop { $0 == "/" } ?? ""
    return AzureError(
      .refused(code: code.isEmpty ? "ProvisioningFailed" : String(code), message: status.message ?? ""),
      during: "vm start")
  }

  /// Whether cf-bench made it or has used it.
  var isOurs: Bool { tags.keys.contains { $0 == "cf-bench" || $0.hasPrefix("cf-bench-") } }

  public var board: LeaseTags { LeaseTags(tags: tags) }
}
