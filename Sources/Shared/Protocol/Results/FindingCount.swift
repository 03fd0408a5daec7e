/// How many of a project's opportunities one run of codeflash found, and what else came of it.
public struct FindingCount: Codable, Equatable, Sendable {
  /// Opportunities that were found, and how many there were in all.
  public var found: Int
  public var opportunities: Int
  /// Traps and controls that were turned down, and how many there were in all.
  public var rejectedRightly: Int
  public var decoys: Int
  public var missed: Int
  public var acceptedWrongly: Int
  public var broken: Int

  public init(_ functions: [FunctionRun]) {
    func count(_ finding: FunctionRun.Finding) -> Int { functions.count { $0.finding == finding } }
    found = count(.found)
    opportunities = functions.count { $0.kind == .opportunity }
    rejectedRightly = count(.rejectedRightly)
    decoys = functions.count - opportunities
    missed = count(.missed)
    acceptedWrongly = count(.acceptedWrongly)
    broken = count(.broken)
  }

  /// Found opportunities among all; `nil` where something is broken, since that says nothing of what can be found.
  public var recall: Double? { broken == 0 && opportunities > 0 ? Double(found) / Double(opportunities) : nil }

  /// What was found among all that was accepted; `nil` where something is broken or nothing was accepted.
  public var precision: Double? {
    let accepted = found + acceptedWrongly
    return broken == 0 && accepted > 0 ? Double(found) / Double(accepted) : nil
  }

  /// `found 10 of 10`, with what went wrong behind it.
  public var words: String {
    guard broken < found + missed + rejectedRightly + acceptedWrongly + broken else { return "broken" }
    var words = "found \(found) of \(opportunities)"
    if acceptedWrongly > 0 { words += ", \(acceptedWrongly) accepted wrongly" }
    if broken > 0 { words += ", \(broken) broken" }
    return words
  }
}
