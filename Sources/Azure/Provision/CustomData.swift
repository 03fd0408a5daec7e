import Shared

/// What Azure hands to cloud-init: the cloud-config itself, and the watchdog's limits where they are not the built-in ones.
public struct CustomData: Sendable {
  /// Azure's own limit in bytes, before it encodes them.
  static let byteLimit = 65_535
  private static let boundary = "cf-bench-part-of-custom-data"

  public var text: String
  /// Tells one from another in a tag of the VM.
  var digest: String { String(SHA256.hex(text.utf8).prefix(16)) }

  /// - Parameter source: where the cloud-config is from, for words.
  public init(cloudConfig: String, source: String, limits: WatchdogLimits) throws {
    text = limits == .builtIn ? cloudConfig : Self.parts(cloudConfig, Self.configuration(limits))
    let count = text.utf8.count
    guard cloudConfig.hasPrefix("#cloud-config"), count <= Self.byteLimit else {
      throw Problem(
        what: "that is no cloud-init file that Azure takes",
        why:
          "\(source) makes \(count) bytes of custom data; it has to begin with #cloud-config, and \(Self.byteLimit) are allowed",
        fix: "correct --cloud-init, or leave it out", exitStatus: .usage)
    }
  }

  /// Without `merge_how` a later list takes the place of an earlier one, and the VM would have this file only.
  private static func configuration(_ limits: WatchdogLimits) -> String {
    """
    #cloud-config
    merge_how: list(append)+dict(no_replace,recurse_list)+str()
    write_files:
      - path: \(WatchdogLimits.file)
        permissions: '0644'
        content: |
    \(limits.lines.map { "      \($0)" }.joined(separator: "\n"))

    """
  }

  /// Several cloud-configs as one document (RFC 2046, multipart).
  private static func parts(_ all: String...) -> String {
    let head = "Content-Type: multipart/mixed; boundary=\"\(boundary)\"\nMIME-Version: 1.0\n\n"
    let kind = "Content-Type: text/cloud-config; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\n\n"
    return head + all.map { "--\(boundary)\n\(kind)\($0)\n" }.joined() + "--\(boundary)--\n"
  }
}
