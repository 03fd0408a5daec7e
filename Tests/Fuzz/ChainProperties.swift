import Shared

/// The input's lines are taken as a journal's, and sealed as one.
enum ChainProperties {
  static func check(_ input: [UInt8]) throws -> Bool {
    try checkTaking(input)
    return try checkSealing(input)
  }

  /// Any lines: a line fits only if its hash is that of the line before's and its own bytes.
  private static func checkTaking(_ input: [UInt8]) throws {
    var chain = JournalChain()
    var head = ""
    for line in input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let line = Array(line)
      let expected = verdict(on: line, after: head)
      let found = line.withUnsafeBytes { chain.take($0) }
      try promise(found == expected.verdict, "\(found), expected \(expected.verdict)")
      head = expected.head
      try promise(chain.head == head, "the head is \(chain.head), expected \(head)")
    }
  }

  /// Lines that were sealed fit; the same lines with one bit flipped, one left out or two swapped don't.
  private static func checkSealing(_ input: [UInt8]) throws -> Bool {
    var writing = JournalChain()
    let sealed = input.split(separator: UInt8(ascii: "\n")).prefix(8).map {
      writing.seal(Array($0) + Array("}\n".utf8))
    }
    guard !sealed.isEmpty else { return false }
    try promise(fitting(sealed) == sealed.count, "sealed lines don't fit")
    let chosen = Int(input[0]) % sealed.count
    var flipped = sealed
    let place = Int(input[input.count / 2]) % (sealed[chosen].count - 1)
    flipped[chosen][place] ^= 1 << (input[input.count - 1] % 8)
    try promise(fitting(flipped) <= chosen, "a damaged line fits")
    guard chosen + 1 < sealed.count else { return true }
    var short = sealed
    short.remove(at: chosen)
    try promise(fitting(short) == chosen, "a lost line is not missed")
    var swapped = sealed
    swapped.swapAt(chosen, chosen + 1)
    try promise(fitting(swapped) == chosen, "swapped lines fit")
    return true
  }

  /// How many lines fit, from the first.
  private static func fitting(_ lines: [[UInt8]]) -> Int {
    var chain = JournalChain()
    return lines.prefix { line in line.dropLast().withUnsafeBytes { chain.take($0) == .fits } }.count
  }

  /// What stands in `JournalChain`'s comment, written again.
  static func verdict(on line: [UInt8], after head: String) -> (verdict: JournalChain.Verdict, head: String) {
    let mark = Array(",\"hash\":\"".utf8)
    let ends = Array("\"}".utf8)
    let hash = line.dropLast(2).suffix(32)
    let content = line.dropLast(2 + 32 + mark.count)
    let isSealed =
      line.count > mark.count + 32 + 2 && line.suffix(2) == ends[...]
      && line.dropLast(2 + 32).suffix(mark.count) == mark[...]
      && hash.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    // A line of the first release ends with its body.
    guard isSealed else { return (head.isEmpty && line.suffix(2) == Array("}}".utf8)[...] ? .unsealed : .broken, head) }
    let right = SHA256.hex(Array(head.utf8) + content).prefix(32)
    guard Array(right.utf8) == Array(hash) else { return (.broken, head) }
    return (.fits, String(right))
  }
}
