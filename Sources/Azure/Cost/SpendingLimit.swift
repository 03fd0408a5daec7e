import FoundationEssentials
import Shared

/// `azure.monthly-limit`: refuses a start that would take this month's compute over it.
public struct SpendingLimit: Sendable {
  /// US dollars a month.
  public var limit: Double
  /// For how long the VM is wanted: what is asked for, and an allowance for starting, preparing and stopping.
  public var expected: Duration
  /// What the ledger here says of this VM's month.
  public var ledger: Spending.Part
  public var prices: @Sendable (_ size: String, _ location: String) -> Price?

  public init(
    limit: Double, expected: Duration, ledger: Spending.Part,
    prices: @escaping @Sendable (_ size: String, _ location: String) -> Price?
  ) {
    self.limit = limit
    self.expected = expected
    self.ledger = ledger
    self.prices = prices
  }

  /// Beside the time that is measured: start, sending and installing both sides, stop.
  public static let allowance = Duration.seconds(300)

  /// - Throws: ``SpendingRefused``
  public func check(_ view: VMView, vm: AzureVM, run: String, at now: Date = .now) throws {
    // A VM that others pay for anyway, at least until this is done, costs nothing more.
    let end = now + expected / .seconds(1)
    if view.power == .running, view.board.others(than: run, at: now).contains(where: { $0.until >= end }) { return }
    guard let size = view.size, let price = prices(size, view.location) else {
      throw Problem(
        what: "whether azure.monthly-limit allows this start can't be told",
        why: "no price is known for \(view.size ?? "a VM of unknown size") in \(view.location)",
        fix: "leave azure.monthly-limit out, or take a size and region that 'cf-bench cost' knows a price for",
        exitStatus: .usage)
    }
    let month = Month.name(now)
    let tag = MonthTag(board: view.board).flatMap { $0.month == month ? $0.seconds : nil } ?? 0
    let spent = max(ledger.usd + ledger.unpricedSeconds / 3600 * price.usd, tag / 3600 * price.usd)
    let more = expected / .seconds(1) / 3600 * price.usd
    guard spent + more > limit else { return }
    throw SpendingRefused(
      vm: vm, month: month, limit: limit, spent: spent, more: more, expected: expected, price: price)
  }
}

/// A start would pass the month's limit.
public struct SpendingRefused: UserFacingError, Equatable {
  public var vm: AzureVM
  public var month: String
  public var limit: Double
  public var spent: Double
  public var more: Double
  public var expected: Duration
  public var price: Price

  public var what: String {
    "the VM \(vm) is not started: azure.monthly-limit of \(Dollars.text(limit)) would be passed in \(month)"
  }
  public var why: String? {
    """
    spent on compute so far: \(Dollars.text(spent)); this may take \(expected.words) and cost \(Dollars.text(more)) \
    at \(Dollars.text(price.usd)) an hour (\(price.origin))
    """
  }
  public var fix: String {
    """
    raise it (--set azure.monthly-limit=\(Dollars.plain((spent + more).rounded(.up)))), measure for less time \
    (--budget), or measure elsewhere (--machine local); 'cf-bench cost' lists what was spent
    """
  }
  public var exitStatus: ExitStatus { .usage }
}

/// Amounts as people read them: `$12.93`, `$0.036`.
public enum Dollars {
  public static func text(_ usd: Double) -> String {
    usd > 0 && usd < 0.0005 ? "less than $0.001" : "$" + plain(usd)
  }

  static func plain(_ usd: Double) -> String {
    guard usd.isFinite, usd >= 0, usd < 1e12 else { return "?" }
    if usd == 0 { return "0" }
    return usd < 1 ? fixed(usd, thousandths: true) : fixed(usd, thousandths: false)
  }

  private static func fixed(_ usd: Double, thousandths: Bool) -> String {
    let units = thousandths ? 1000 : 100
    let whole = Int((usd * Double(units)).rounded())
    let rest = String(whole % units)
    let places = thousandths ? 3 : 2
    let text = "\(whole / units)." + String(repeating: "0", count: places - rest.count) + rest
    return thousandths && text.hasSuffix("0") ? String(text.dropLast()) : text
  }
}
