import FoundationEssentials
import Shared

/// From where the VM may be reached while a run lasts.
public enum SourceRange: Sendable, Equatable {
  /// This machine's public address, asked for each time.
  case thisMachine
  /// A fixed range, such as `203.0.113.0/24`.
  case range(String)
  /// No rule is made: something else lets this machine in.
  case asItIs

  /// `auto`, `none`, an address or a range.
  public init?(_ text: String) {
    switch text {
    case "auto": self = .thisMachine
    case "none": self = .asItIs
    default:
      guard let range = Self.range(from: text) else { return nil }
      self = .range(range)
    }
  }

  public var text: String {
    switch self {
    case .thisMachine: "auto"
    case .range(let range): range
    case .asItIs: "none"
    }
  }

  /// An address with its length; `nil` for what is none, and for the whole internet.
  static func range(from text: String) -> String? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let address = parts.first, parts.count <= 2 else { return nil }
    let four = address.split(separator: ".", omittingEmptySubsequences: false)
    let isFour =
      four.count == 4 && four.allSatisfy { (Int($0).map { 0...255 ~= $0 } ?? false) && $0.allSatisfy(\.isNumber) }
    let isSix = address.contains(":") && address.allSatisfy { $0.isHexDigit || $0 == ":" } && address.count <= 39
    guard isFour || isSix else { return nil }
    let full = isFour ? 32 : 128
    guard parts.count == 2 else { return "\(address)/\(full)" }
    guard let length = Int(parts[1]), 8...full ~= length else { return nil }
    return "\(address)/\(length)"
  }
}

/// The rule that opens the VM's SSH port for one caller, with an end, and closes it again.
public struct FirewallRule: Sendable {
  var client: AzureClient

  static let prefix = "cf-bench-"

  public init(client: AzureClient) { self.client = client }

  /// Our rules that are there now.
  public func open() async throws -> [Rule] { try await list().filter { $0.name.hasPrefix(Self.prefix) } }

  /// - Returns: the range that was let in; `nil` when nothing was opened.
  func open(for run: String, until: Date) async throws -> String? {
    guard let range = try await range() else { return nil }
    var error: AzureError?
    for _ in 0..<4 {
      do {
        try await client.cli.call(
          [
            "network", "nsg", "rule", "create", "--resource-group", client.vm.group, "--nsg-name",
            client.vm.securityGroup, "--name", Self.prefix + run, "--priority", String(Int.random(in: 1000...4000)),
            "--direction", "Inbound", "--access", "Allow", "--protocol", "Tcp", "--source-address-prefixes", range,
            "--destination-port-ranges", String(client.settings.sshPort), "--description",
            Self.description(until: until), "--output",
            "none",
          ])
        return range
      } catch let conflict as AzureError where conflict.code == "SecurityRuleConflict" {
        error = conflict  // another rule has that priority
      }
    }
    if let error { throw error }
    return nil
  }

  /// Closes it; does nothing where it is not open.
  func close(_ run: String) async throws { try await delete(Self.prefix + run) }

  /// Closes all of ours that are past their end.
  func sweep() async throws -> [String] {
    let (rules, now) = (try await list(), client.cli.now())
    let old = rules.filter { rule in
      guard rule.name.hasPrefix(Self.prefix), let until = Self.end(of: rule.description ?? "") else { return false }
      return until + Lease.grace < now
    }
    for rule in old { try await delete(rule.name) }
    return old.map(\.name)
  }

  public struct Rule: Decodable, Sendable {
    public var name: String
    var description: String?
    public var sourceAddressPrefix: String?
  }

  func list() async throws -> [Rule] {
    do {
      return try await client.cli.ask(
        [Rule].self,
        ["network", "nsg", "rule", "list", "--resource-group", client.vm.group, "--nsg-name", client.vm.securityGroup])
    } catch let error as AzureError where error.isMissing { return [] }
  }

  /// The call that removes a rule.
  func removal(_ name: String) -> [String] {
    [
      "network", "nsg", "rule", "delete", "--resource-group", client.vm.group, "--nsg-name", client.vm.securityGroup,
      "--name", name,
    ]
  }

  private func delete(_ name: String) async throws {
    do { try await client.cli.call(removal(name)) } catch let error as AzureError where error.isMissing { return }
  }

  /// What is let in; `nil` when nothing is opened.
  func range() async throws -> String? {
    switch client.settings.allowFrom {
    case .asItIs: return nil
    case .range(let range): return range
    case .thisMachine:
      let addressService = client.settings.addressService
      let answer = try await Web(environment: client.cli.environment).get(
        addressService, what: "the page that tells this machine's address")
      let text = answer.filter { !$0.isWhitespace }
      guard let range = SourceRange.range(from: text), !text.contains("/") else {
        throw Problem(
          what: "this machine's public address is not known", why: "\(addressService) answered: \(text.prefix(80))",
          fix: "name it with --set azure.allow-from=ADDRESS, or another page with --set azure.address-service=URL",
          exitStatus: .infrastructure)
      }
      return range
    }
  }

  static func description(until: Date) -> String { "cf-bench until=\(TagMoment.text(until))" }

  static func end(of description: String) -> Date? {
    guard description.hasPrefix("cf-bench ") else { return nil }
    return TagFields(String(description.dropFirst("cf-bench ".count))).moment("until")
  }
}
