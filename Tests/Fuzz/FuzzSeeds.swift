import Shared

/// What mutating begins with: a line of every kind that there is.
enum FuzzSeeds {
  static func of(_ target: FuzzTarget) throws -> [[UInt8]] {
    switch target {
    case .lines: [[200, 7] + (try events().prefix(3).joined()), [4, 0] + Array("a\nbcd\n\nefghi\n".utf8)]
    case .numbers: try events().prefix(3).map { $0.dropLast() }
    case .chain: [try sealed(4), Array((try events().prefix(4).joined())), Array("{}\n{}\n".utf8)]
    case .requests: try EveryMessage.requests().map { try $0.line().dropLast() }
    case .messages: try EveryMessage.messages().map { try $0.line().dropLast() }
    case .events: try events().map { $0.dropLast() }
    case .journal:
      [try sealed(3), try sealed(12), Array(try events().prefix(5).joined()), Array((try sealed(3)).dropLast(9))]
    }
  }

  private static func events() throws -> [[UInt8]] { try EveryMessage.numbered().map { try $0.line() } }

  private static func sealed(_ count: Int) throws -> [UInt8] {
    var chain = JournalChain()
    return Array(try events().prefix(count).map { chain.seal($0) }.joined())
  }
}
