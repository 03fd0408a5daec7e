import Shared

/// A VM that was asked for while nobody waits for it any more: Azure goes on with a deployment whose `az` was cancelled or
/// killed, and the VM comes to life when nobody looks.
struct Creation: Sendable {
  var client: AzureClient
  var note: @Sendable (String) -> Void

  private static let lookEvery = Duration.seconds(3)
  private static let limit = Duration.seconds(600)

  private struct Deployment: Decodable { var name: String }

  /// - Returns: the VM as soon as it is there; `nil` when no deployment is under way that could still make it.
  func outcome() async throws -> VMView? {
    let elapsed = client.cli.clock.stopwatch()
    let patience = client.retry(for: .seconds(120), note: note)
    var (isNoted, looksAfter) = (false, 0)
    while true {
      // Looked at in this order: a deployment that ends between both has made the VM that is looked for.
      let running = try await patience.with { try await deployments() }
      if let view = try await patience.with({ try await client.existing() }) { return view }
      // Azure may show a VM a moment later than the deployment that made it has ended.
      looksAfter = running.isEmpty ? looksAfter + 1 : 0
      guard looksAfter < 4, elapsed() < Self.limit else { return nil }
      if !isNoted, !running.isEmpty { note("Azure is still making the VM; waiting for it, to stop it") }
      isNoted = isNoted || !running.isEmpty
      try await client.cli.clock.sleep(for: Self.lookEvery)
    }
  }

  private func deployments() async throws -> [Deployment] {
    do {
      return try await client.cli.ask(
        [Deployment].self,
        [
          "deployment", "group", "list", "--resource-group", client.vm.group, "--query",
          "[?properties.provisioningState=='Running' || properties.provisioningState=='Accepted'].{name: name}",
        ])
    } catch let error as AzureError where error.isMissing { return [] }
  }
}

extension AzureClient {
  /// The VM as it is now; `nil` when there is none.
  func existing() async throws -> VMView? {
    do { return try await view() } catch let error as AzureError where error.isMissing { return nil }
  }
}
