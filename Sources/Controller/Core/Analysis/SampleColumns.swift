/// Which field of a line holds what.
struct SampleColumns: Equatable {
  var metric = 0
  var block = 1
  var position = 2
  var side = 3
  var value = 4
  var unit: Int?
  var layer: Int?
  var count = 5

  struct Fault: Error {
    var words: String
  }

  init() {}

  /// From the header; columns stand in any order.
  init(_ names: [String]) throws(Fault) {
    let names = names.map { $0.drop { $0 == " " } }.map { String($0.reversed().drop { $0 == " " }.reversed()) }
    let needed = ["metric", "block", "position", "side", "value"]
    let missing = needed.filter { !names.contains($0) }
    guard missing.isEmpty else { throw Fault(words: "it does not have \(missing.joined(separator: ", "))") }
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw Fault(words: "it has '\(twice)' twice")
    }
    if let unknown = names.first(where: { !(needed + ["unit", "layer"]).contains($0) }) {
      throw Fault(words: "nothing is known of a column '\(unknown)'")
    }
    func place(_ name: String) -> Int? { names.firstIndex(of: name) }
    metric = place("metric") ?? 0
    block = place("block") ?? 0
    position = place("position") ?? 0
    side = place("side") ?? 0
    value = place("value") ?? 0
    unit = place("unit")
    layer = place("layer")
    count = names.count
  }
}
