import FoundationEssentials
import Shared

extension AzureCheck {
  /// The VM: there, and whether it costs money.
  static let vm = AzureCheck("azure.vm", needs: ["azure.subscription"]) { facts in
    let view = try await facts.client.view()
    facts.learn(view: view)
    let detail = "\(facts.client.vm), \(view.size ?? "size unknown") in \(view.location), \(view.power.rawValue)"
    if view.power == .stopped {
      return .warning(
        "\(detail): shut down from inside, which Azure bills like a running one", fix: "cf-bench stop")
    }
    if let failure = view.failure {
      return .warning("\(detail); its last operation failed: \(failure.what)", fix: failure.fix)
    }
    return .ok(detail)
  }

  /// Whether the size's cores are within the subscription's limit for the region.
  static let quota = AzureCheck("azure.quota", needs: ["azure.vm"]) { facts in
    let view = try facts.view
    guard let size = view.size.flatMap(ComputeSize.init) else {
      return .skipped("not checked: the family of \(view.size ?? "its size") is not known")
    }
    guard view.power == .deallocated else { return .ok("the VM has its \(size.cores) cores") }
    do {
      let subscription = "/subscriptions/\(try facts.account.id)"
      let usages = try await facts.read(
        Listed<CoreUsage>.self, "\(subscription)/providers/Microsoft.Compute/locations/\(view.location)/usages",
        version: "2024-07-01"
      ).value
      let concerned = usages.filter { size.isCounted(in: $0.name.value) }
      guard let tightest = concerned.min(by: { $0.free < $1.free }) else {
        return .skipped("not checked: Azure names no limit for \(size.family)")
      }
      let detail =
        "\(tightest.name.localizedValue ?? tightest.name.value): \(tightest.currentValue) of \(tightest.limit) used, "
        + "\(size.cores) needed"
      let fix = "ask for more in the portal under Quotas, or take a smaller azure.size"
      if tightest.limit < size.cores { return .failed(detail, fix: fix) }
      // Azure's documentation counts the cores of deallocated VMs as used, so too few may be enough.
      return tightest.free < size.cores ? .warning("\(detail): the start may be refused", fix: fix) : .ok(detail)
    } catch let error as AzureError where error.isForbidden {
      return .skipped("not checked: this sign-in may not read the usage (Microsoft.Compute/locations/usages/read)")
    }
  }

  /// The last net: Azure's own daily stop.
  static let autoShutdown = AzureCheck("azure.auto-shutdown", needs: ["azure.vm"]) { facts in
    struct Schedule: Decodable {
      struct Properties: Decodable {
        struct Daily: Decodable { var time: String? }
        var status: String?
        var dailyRecurrence: Daily?
        var timeZoneId: String?
      }
      var properties: Properties?
    }
    let vm = facts.client.vm
    let fix = facts.client.cli.line(
      [
        "vm", "auto-shutdown", "--resource-group", vm.group, "--name", vm.name, "--time",
        facts.client.settings.shutdownTime.text,
      ])
    do {
      let schedule = try await facts.read(
        Schedule.self, vm.scheduleID(in: try facts.account.id), version: "2018-09-15"
      ).properties
      guard let schedule, schedule.status == "Enabled" else {
        return .warning("the daily stop is switched off: the other nets have to hold", fix: fix)
      }
      return .ok("daily at \(schedule.dailyRecurrence?.time ?? "?") \(schedule.timeZoneId ?? "")")
    } catch let error as AzureError where error.isMissing {
      return .warning("there is no daily stop: the other nets have to hold", fix: fix)
    } catch let error as AzureError where error.isForbidden {
      return .skipped("not checked: this sign-in may not read it (Microsoft.DevTestLab/schedules/read)")
    }
  }
}

/// How many cores of one kind are used in a region, and how many may be.
private struct CoreUsage: Decodable {
  struct Name: Decodable {
    var value: String
    var localizedValue: String?
  }
  var name: Name
  var currentValue: Int
  var limit: Int

  var free: Int { limit - currentValue }
}

/// A size's name taken apart, as Azure's naming of VM sizes has it: family, cores, features, version.
struct ComputeSize: Sendable, Equatable {
  var cores: Int
  /// As the limits name it: `standardDSv5Family`.
  var family: String

  init?(_ name: String) {
    let pattern = /(Standard|Basic)_([A-Z]+)([0-9]+)(?:-[0-9]+)?([a-z]*)(?:_.*?)??(?:_(v[0-9]+))?/
    guard let match = name.wholeMatch(of: pattern), let cores = Int(match.output.3) else { return nil }
    self.cores = cores
    let (letter, features, version) = (match.output.2, match.output.4.uppercased(), match.output.5 ?? "")
    // All of the burstable ones are in one family, whatever their memory.
    family = "standard\(letter)\(letter == "B" && version.isEmpty ? "S" : features)\(version)Family"
  }

  func isCounted(in usage: String) -> Bool { usage == "cores" || usage.lowercased() == family.lowercased() }
}
