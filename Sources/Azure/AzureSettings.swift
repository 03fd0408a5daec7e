/// The VM of `--machine azure`, as the settings `azure.…` have it; the defaults, which are the customer's, stand here only.
public struct AzureSettings: Equatable, Sendable {
  /// Name or id; `nil` for the one that `az` is set to.
  public var subscription: String?
  public var group = "CF-BENCH-RG"
  public var vm = "cf-bench"
  public var location = "westus2"
  public var size = "Standard_D4s_v5"
  /// Publisher, offer and SKU; without a version the newest one of the day is named when the VM is made.
  public var image = "Canonical:ubuntu-24_04-lts:server"
  /// Of the system's Premium SSD, in GB.
  public var diskGB = 64
  /// Login that measures.
  public var user = "azureuser"
  public var sshPort = 22
  public var allowFrom = SourceRange.thisMachine
  /// A page that answers with the caller's address and nothing else.
  public var addressService = "https://api.ipify.org"
  /// From asking for the start until SSH answers.
  public var startLimit = Duration.seconds(600)
  /// For how long deallocating is tried again.
  public var stopLimit = Duration.seconds(900)
  /// Of the first boot.
  public var setupLimit = Duration.seconds(1800)
  public var watchdog = WatchdogLimits.builtIn
  public var shutdownTime = DailyTime(text: "0300")
  /// How long one call may take; az itself tries some failures again for up to a minute.
  public var callLimit = Duration.seconds(120)
  /// US dollars for compute.
  public var monthlyLimit: Double?

  public init() {}

  public var machine: AzureVM { AzureVM(subscription: subscription, group: group, name: vm) }
}

/// A time of each day, UTC, as `az vm auto-shutdown` wants it.
public struct DailyTime: Equatable, Sendable {
  /// `0300`.
  public var text: String

  public init(text: String) { self.text = text }
}

/// When the VM's own watchdog stops it, whatever controllers do.
public struct WatchdogLimits: Sendable, Equatable {
  /// Without a job and without a session.
  public var idle: Duration
  /// From the boot on.
  public var hard: Duration

  public init(idle: Duration, hard: Duration) {
    self.idle = idle
    self.hard = hard
  }

  /// What the watchdog takes without being told.
  public static let builtIn = WatchdogLimits(idle: .seconds(900), hard: .seconds(14_400))

  static let file = "/etc/cf-bench/watchdog.conf"

  /// The lines of ``file``.
  var lines: [String] {
    ["CF_BENCH_IDLE_SECONDS=\(Int(idle / .seconds(1)))", "CF_BENCH_HARD_SECONDS=\(Int(hard / .seconds(1)))"]
  }

  /// Writes the file on a VM whose custom data can't be changed any more.
  var script: String { "printf '%s\\n' \(lines.joined(separator: " ")) >\(Self.file)\n" }
}
