/// Finds what somebody who mistyped a name probably meant.
enum NearestName {
  /// The candidate with the fewest slips to `name`; `nil` when even that one is far off.
  ///
  /// The last part of a dotted name counts alone too, so that `block` finds `startup.blocks`.
  static func to(_ name: String, among candidates: [String]) -> String? {
    let scored = candidates.map { (name: $0, slips: slips(name, $0), whole: wholeDistance(name, $0)) }
    // Where two are equally near by their last part, the whole name decides: `mico.blocks` is `micro.blocks`.
    guard let best = scored.min(by: { ($0.slips, $0.whole) < ($1.slips, $1.whole) }) else { return nil }
    return best.slips <= max(1, name.count / 3) ? best.name : nil
  }

  private static func wholeDistance(_ name: String, _ candidate: String) -> Int {
    distance(name.lowercased(), candidate.lowercased())
  }

  private static func slips(_ name: String, _ candidate: String) -> Int {
    let whole = wholeDistance(name, candidate)
    guard let last = candidate.split(separator: ".").last, last.count < candidate.count else { return whole }
    let ownLast = name.split(separator: ".").last ?? ""
    // One slip more than a match of the whole name: the section is wrong or absent.
    return min(whole, distance(ownLast.lowercased(), last.lowercased()) + 1)
  }

  /// How many letters must be put in, left out, changed or swapped with their neighbour to make `a` into `b`
  /// (optimal string alignment: Damerau 1964, without overlapping edits).
  static func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a)
    let b = Array(b)
    var before: [Int] = []
    var last = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
        row.append(cost)
      }
      before = last
      last = row
    }
    return last[b.count]
  }
}
