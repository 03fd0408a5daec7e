import FoundationEssentials
import Shared

/// What things cost, as well as this machine knows: what the public list said, kept for a day, else the built-in table.
public struct PriceBook: Sendable {
  /// For how long an answer of the list is not asked for again.
  static let freshness: TimeInterval = 86_400

  private let state: StateFolder
  private let list: PublicPriceList?
  /// How long the list may take to answer one question.
  private let limit: Duration

  public init(state: StateFolder, environment: [String: String], limit: Duration = .seconds(6)) {
    self.state = state
    self.limit = limit
    list = PublicPriceList(environment: environment)
  }

  private var file: String { state.path + "/prices.json" }

  struct Kept: Codable {
    struct Answer: Codable {
      /// `nil` when the list has none.
      var usd: Double?
      /// RFC 3339.
      var asked: String
    }
    var schema = 1
    var answers: [String: Answer] = [:]
  }

  /// What is known without asking anybody.
  public func price(of item: PricedItem) -> Price? { price(of: item, kept: kept()) }

  private func price(of item: PricedItem, kept: Kept) -> Price? {
    let table = PriceTable.builtIn.price(of: item)
    guard let answer = kept.answers[item.key], let usd = answer.usd else { return table }
    let listed = Price(usd: usd, asOf: String(answer.asked.prefix(10)), source: .publicList)
    return listed.asOf < (table?.asOf ?? "") ? table : listed
  }

  public func prices(size: String, diskGB: Int, location: String) -> MachinePrices {
    let kept = kept()
    return MachinePrices(
      compute: price(of: .compute(size: size, location: location), kept: kept),
      disk: price(of: .disk(gigabytes: diskGB, location: location), kept: kept),
      address: price(of: .address(location: location), kept: kept))
  }

  /// Asks the list for what was not asked within a day. That it can't be reached is no error: then the table holds.
  public func refresh(_ items: [PricedItem], at now: Date = .now) async {
    guard let list else { return }
    let before = kept()
    let asked = Timestamp.rfc3339(now)
    let stale = items.filter { item in
      guard let answer = before.answers[item.key], let moment = try? Timestamp.date(answer.asked)
      else { return true }  // never asked, or at a moment that can't be read
      return !(0..<Self.freshness).contains(now.timeIntervalSince(moment))
    }
    guard !stale.isEmpty else { return }
    let answers = await withTaskGroup(of: (String, Kept.Answer)?.self) { group in
      for item in stale {
        group.addTask {
          // No answer for this one: the table holds, and the next command asks again.
          let usd = try? await withLimit(limit, waitingFor: "Azure's price list") {
            [try await list.price(of: item)]
          }
          return usd.map { (item.key, Kept.Answer(usd: $0.first ?? nil, asked: asked)) }
        }
      }
      return await group.reduce(into: []) { $0 += [$1].compactMap(\.self) }
    }
    guard !answers.isEmpty else { return }
    // Another command may have learned others meanwhile; losing one of its answers costs one more question.
    var after = kept()
    for (key, answer) in answers { after.answers[key] = answer }
    keep(after)
  }

  public func refresh(size: String, diskGB: Int, location: String) async {
    await refresh([
      .compute(size: size, location: location), .disk(gigabytes: diskGB, location: location),
      .address(location: location),
    ])
  }

  /// Nothing for a file that is not there or can't be read: it only saves questions.
  private func kept() -> Kept {
    FileManager.default.contents(atPath: file).flatMap { try? JSONDecoder().decode(Kept.self, from: $0) } ?? Kept()
  }

  private func keep(_ kept: Kept) {
    // As above: what can't be kept is asked again.
    guard let data = try? JSONEncoder.pretty.encode(kept) else { return }
    _ = try? state.make(state.path)
    _ = try? state.write(String(decoding: data, as: UTF8.self) + "\n", to: file)
  }
}
