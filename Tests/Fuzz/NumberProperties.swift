import Shared

enum NumberProperties {
  static func check(_ input: [UInt8]) throws -> Bool {
    let found = input.withUnsafeBytes { NumberedEvent.number(ofLine: $0) }
    let expected = reference(input)
    try promise(found == expected, "number \(String(describing: found)), expected \(String(describing: expected))")
    // A number that was taken for one is sent on as it stands.
    guard let found else { return false }
    let message = try input.withUnsafeBytes { try AgentMessage(line: $0) }
    try promise(message == .event(number: found, line: input), "a numbered line is taken for something else")
    try promise(try message.line() == input + [UInt8(ascii: "\n")], "a numbered line is not sent as it stands")
    return true
  }

  /// `{"seq":` digits `,` with a number under 10^16, or so.
  private static func reference(_ input: [UInt8]) -> Int? {
    let prefix = Array("{\"seq\":".utf8)
    guard input.starts(with: prefix) else { return nil }
    let rest = input.dropFirst(prefix.count)
    let digits = rest.prefix { (0x30...0x39).contains($0) }
    guard !digits.isEmpty, rest.dropFirst(digits.count).first == UInt8(ascii: ",") else { return nil }
    // Where it passes 2^50 before its last digit it is no number of ours.
    guard digits.drop(while: { $0 == 0x30 }).count < 20 else { return nil }
    let before = digits.dropLast().reduce(into: UInt64(0)) { $0 = $0 &* 10 &+ UInt64($1 - 0x30) }
    guard before < 1 << 50 else { return nil }
    return Int(before) * 10 + Int(digits[digits.endIndex - 1] - 0x30)
  }
}
