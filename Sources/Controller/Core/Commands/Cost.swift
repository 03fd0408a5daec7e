import ArgumentParser
import Azure
import Shared

struct Cost: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists what runs on the VM have cost, by run and month, and what a plan would cost.",
    discussion: """
      The runs are those recorded on this machine. The month's sum also includes what others spent on the VM, \
      from a tag of the VM. Disk and address cost the same whether the VM is on or off. docs/cost.md says where \
      prices come from.

      EXAMPLES
        cf-bench cost
        cf-bench cost --month 2026-11 --json
        cf-bench cost --plan 22x10m
      """)

  @Option(help: ArgumentHelp("Only this month (UTC).", valueName: "YYYY-MM")) var month: String?
  @Option(
    help: ArgumentHelp(
      "What this many runs a month would cost, with the VM on for this long each.", valueName: "RUNSxTIME"))
  var plan: String?
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    if let month, !Azure.Month.isName(month) {
      throw Problem(what: "'\(month)' is not a month", fix: "write --month 2026-01", exitStatus: .usage)
    }
    let context = try CommandContext(settings, output: output.value)
    let progress = context.makeProgress()
    let machine = context.machine
    let azure = machine.settings.azure
    let book = machine.azureClient.prices
    if let plan { _ = try CostPlan(plan, prices: MachinePrices(compute: nil, disk: nil, address: nil)) }
    progress.step("asking about the VM and its prices")
    let seen = try await context.withTicks(progress) {
      let seen = await machine.lookForCost()
      await book.refresh(
        size: seen.seen?.size ?? azure.size, diskGB: azure.diskGB, location: seen.seen?.location ?? azure.location)
      return seen
    }
    progress.finish("")
    var report = CostReport(
      azure, content: UsageLog(state: machine.state).content(), book: book, seen: seen.seen, month: month)
    if let reason = seen.reason { report.notes.append("Azure did not answer: \(reason).") }
    if let plan { report.plan = try CostPlan(plan, prices: report.prices) }
    try output.tell(report, CostTable.text(report))
    return .done
  }
}

extension MachineAccess {
  /// What Azure says of the VM; without it the ledger has to do.
  fileprivate func lookForCost() async -> (seen: CostReport.Seen?, reason: String?) {
    do {
      let client = azureClient
      let view = try await withLimit(.seconds(20), waitingFor: "what Azure says of the VM") { try await client.view() }
      return (CostReport.Seen(size: view.size, location: view.location, tag: MonthTag(board: view.board)), nil)
    } catch { return (nil, SystemErrorText.describe(error)) }
  }
}
