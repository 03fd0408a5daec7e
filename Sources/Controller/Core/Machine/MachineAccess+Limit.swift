import Azure
import Shared

extension MachineAccess {
  /// Throws when the start would take the month over `azure.monthly-limit`.
  func mayStart(_ claim: Claim, _ view: VMView) throws {
    guard let limit = settings.azure.monthlyLimit else { return }
    let vm = settings.azure.machine
    let book = PriceBook(state: state, environment: environment)
    let month = Spending(UsageLog(state: state).content()) { size, location in
      size.flatMap { size in location.flatMap { book.price(of: .compute(size: size, location: $0))?.usd } }
    }.part(Month.name(), of: vm)
    let expected = (claim.expected ?? claim.lease) + (settings.keepRunning ?? .zero)
    try SpendingLimit(limit: limit, expected: expected, ledger: month) { size, location in
      book.price(of: .compute(size: size, location: location))
    }.check(view, vm: vm, run: claim.run)
  }

  /// Before anything is started, and only where a price decides: a fresh one if the list answers within seconds.
  func refreshPricesForLimit() async {
    guard settings.azure.monthlyLimit != nil else { return }
    await PriceBook(state: state, environment: environment).refresh(
      size: settings.azure.size, diskGB: settings.azure.diskGB, location: settings.azure.location)
  }
}
