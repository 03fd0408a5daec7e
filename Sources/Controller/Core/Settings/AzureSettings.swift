import Azure

/// The VM of `--machine azure`; the defaults are the customer's.
struct AzureSettings: Equatable, Sendable {
  var subscription: String?
  var group = "CF-BENCH-RG"
  var vm = "cf-bench"
  var location = "westus2"
  var size = "Standard_D4s_v5"
  /// Publisher, offer and SKU; without a version the newest one of the day is named when the VM is made.
  var image = "Canonical:ubuntu-24_04-lts:server"
  var diskGB = 64
  var user = "azureuser"
  var sshPort = 22
  var allowFrom = SourceRange.thisMachine
  var addressService = "https://api.ipify.org"
  var startLimit = Duration.seconds(600)
  var stopLimit = Duration.seconds(900)
  /// Of the first boot.
  var setupLimit = Duration.seconds(1800)
  var idleLimit = WatchdogLimits.builtIn.idle
  var hardLimit = WatchdogLimits.builtIn.hard
  var shutdownTime = DailyTime.standard
  var callLimit = Duration.seconds(120)
  var monthlyLimit: Double?

  var watchdog: WatchdogLimits { WatchdogLimits(idle: idleLimit, hard: hardLimit) }
  var machine: AzureVM { AzureVM(subscription: subscription, group: group, name: vm) }
}
