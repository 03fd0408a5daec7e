import Foundation
import Shared

/// The calls that cf-bench makes for one VM. Each is one `az`.
public struct AzureClient: Sendable {
  public var cli: AzureCLI
  public let settings: AzureSettings
  public var vm: AzureVM

  public init(settings: AzureSettings, environment: [String: String]) {
    cli = AzureCLI(environment: environment, settings: settings)
    self.settings = settings
    vm = settings.machine
  }

  /// The same for another VM.
  func of(_ vm: AzureVM) -> AzureClient {
    var other = self
    other.vm = vm
    return other
  }

  /// What this person's commands keep here.
  public var state: StateFolder { StateFolder(environment: cli.environment) }
  public var prices: PriceBook { PriceBook(state: state, environment: cli.environment) }

  private var named: [String] { ["--resource-group", vm.group, "--name", vm.name] }

  public func view() async throws -> VMView { try await cli.ask(VMView.self, viewArguments) }

  var viewArguments: [String] { ["vm", "get-instance-view"] + named }

  /// Asks for the start and does not wait: az's own waiting looks every thirty seconds.
  public func start() async throws { try await cli.call(startArguments) }

  var startArguments: [String] { ["vm", "start"] + named + ["--no-wait"] }

  public func deallocate() async throws { try await cli.call(["vm", "deallocate"] + named + ["--no-wait"]) }

  /// Sets tags in one request and leaves the others as they are.
  /// - Returns: all tags after it, in the same moment.
  public func merge(_ tags: [String: String], of id: String) async throws -> LeaseTags {
    try await update("merge", tags, of: id)
  }

  /// Removes tags by name and value: one that was written again meanwhile stays.
  @discardableResult
  public func remove(_ tags: [String: String], of id: String) async throws -> LeaseTags {
    try await update("delete", tags, of: id)
  }

  /// The call that removes tags.
  func removal(_ tags: [String: String], of id: String) -> [String] { updating("delete", tags, of: id) }

  private func update(_ operation: String, _ tags: [String: String], of id: String) async throws -> LeaseTags {
    let answer = try await cli.ask(TagsAnswer.self, updating(operation, tags, of: id))
    return LeaseTags(tags: answer.properties?.tags ?? [:])
  }

  private func updating(_ operation: String, _ tags: [String: String], of id: String) -> [String] {
    let words = tags.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return ["tag", "update", "--operation", operation, "--resource-id", id, "--tags"] + words
  }

  private struct TagsAnswer: Decodable {
    struct Properties: Decodable { var tags: [String: String]? }
    var properties: Properties?
  }

  /// The public address as it is now: one that is not reserved changes with every start.
  public func address() async throws -> String {
    let answer = try await cli.ask(AddressAnswer.self, ["vm", "show", "--show-details"] + named)
    guard let address = answer.publicIps?.split(separator: ",").first else {
      throw Problem(
        what: "the VM \(vm) has no public address", why: "'az vm show --show-details' names none",
        fix: "cf-bench provision makes one: run it again", exitStatus: .infrastructure)
    }
    return String(address)
  }

  private struct AddressAnswer: Decodable { var publicIps: String? }

  /// Runs a script as root inside, through Azure: no connection of ours is needed. One at a time; takes half a minute.
  /// - Returns: what it printed. The nonce proves that it was this script: az 2.78 ran another one without a word.
  public func runInside(_ script: String, limit: Duration) async throws -> String {
    let nonce = UUID().uuidString
    let marked = "echo cf-bench-begin-\(nonce)\n\(script)\necho cf-bench-end-\(nonce)"
    let answer = try await cli.ask(
      RunAnswer.self,
      ["vm", "run-command", "invoke"] + named + ["--command-id", "RunShellScript", "--scripts", marked],
      limit: limit)
    let text = answer.value?.compactMap(\.message).joined(separator: "\n") ?? ""
    guard let begin = text.range(of: "cf-bench-begin-\(nonce)\n"), let end = text.range(of: "cf-bench-end-\(nonce)"),
      begin.upperBound <= end.lowerBound
    else {
      throw AzureError(
        .unreadable(excerpt: "the script's own words are missing in: \(text.prefix(300))"),
        during: "vm run-command invoke")
    }
    return String(text[begin.upperBound..<end.lowerBound])
  }

  private struct RunAnswer: Decodable {
    struct Entry: Decodable { var message: String? }
    var value: [Entry]?
  }
}
