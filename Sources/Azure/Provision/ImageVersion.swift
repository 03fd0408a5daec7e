import Shared

/// The version behind `PUBLISHER:OFFER:SKU`, so that what was installed has a name.
struct ImageVersion: Sendable {
  var cli: AzureCLI

  private struct Image: Decodable { var version: String }

  func resolved(_ image: String, location: String) async throws -> String {
    let parts = image.split(separator: ":").map(String.init)
    if parts.count == 4, parts[3] != "latest" { return image }
    guard parts.count == 3 || parts.count == 4 else {
      throw Problem(
        what: "'\(image)' is no image", why: "an image is PUBLISHER:OFFER:SKU or PUBLISHER:OFFER:SKU:VERSION",
        fix: "write --set azure.image=Canonical:ubuntu-24_04-lts:server", exitStatus: .usage)
    }
    let images = try await cli.ask(
      [Image].self,
      [
        "vm", "image", "list", "--publisher", parts[0], "--offer", parts[1], "--sku", parts[2], "--location", location,
        "--all",
      ])
    let newest = images.map(\.version).max { Self.numbers($0).lexicographicallyPrecedes(Self.numbers($1)) }
    guard let newest else {
      throw Problem(
        what: "there is no image \(image) in \(location)", why: "'az vm image list' names none",
        fix: "correct azure.image or azure.location", exitStatus: .usage)
    }
    return (parts.prefix(3) + [newest]).joined(separator: ":")
  }

  private static func numbers(_ version: String) -> [Int] { version.split(separator: ".").map { Int($0) ?? 0 } }
}
