/// One line of JSON, such as a journal's: masked inside of its strings, so that it stays the JSON that it was.
///
/// What programs read keeps its value: fields whose names stand in ``machineRead``, the protocol's own words, and the names of
/// fields. Only what has a secret's shape is masked there.
extension Redactor {
  /// Fields of the journal, of results and of `--json` that hold names, digests, moments and words of ours. Every other string is
  /// free text: messages, notes, log lines, what other programs said.
  static let machineRead: Set<String> = [
    // Who and where.
    "design", "agent", "agentSHA256", "agentVersion", "architecture", "bootID", "controllerVersion", "cpuModel", "host",
    "hostname",
    "hyperfineVersion", "hypervisor", "kernel", "libc", "machine", "operatingSystem", "owner", "tools", "user",
    "uvVersion",
    "vm",
    "location", "size", "address", "system", "features", "governor",
    // What is measured.
    "branch", "commit", "distributions", "function", "group", "id", "identity", "importName", "interpreterVersion",
    "job",
    "label", "labels", "metric", "metrics", "name", "of", "option", "package", "project", "python", "ref",
    "requirement",
    "requirements",
    "revision", "run", "rules", "secrets", "setting", "variable", "version", "versions", "value", "candidates",
    // What came of it, in words of ours.
    "answers", "control", "correction", "end", "engine", "exitStatus", "findings", "form", "kind", "knob", "layer",
    "measure",
    "network",
    "informative", "order", "outcome", "phase", "power", "priceSource", "profiles", "purpose", "request", "result",
    "schema",
    "side", "source",
    "state",
    "status", "tool", "type", "undecided", "unit", "unpaired", "v", "verdict",
    // When, and which bytes.
    "asOf", "createdAt", "data", "expectedStart", "file", "folder", "from", "hash", "month", "priceAsOf", "sha256",
    "time",
    "timestamp", "to", "until",
  ]
  /// `reason` is free text in most messages, and one of these in `resumed` and `ended`.
  private static let reasons = Set(
    (Resumed.Reason.allCases.map(\.rawValue) + Ended.Reason.allCases.map(\.rawValue)).map { Array($0.utf8) })
  /// Masks what has a secret's shape.
  private static let shapes = Redactor()

  private static let quote = UInt8(ascii: "\"")
  private static let backslash = UInt8(ascii: "\\")

  /// The line with secrets masked; the very same bytes where there are none.
  public func redacted(line: [UInt8]) -> [UInt8] {
    let isClean = line.withUnsafeBufferPointer { bytes in
      !bytes.contains(Self.backslash) && !index.firstCandidate(in: bytes)
    }
    return isClean ? line : redactStrings(of: line)
  }

  private func redactStrings(of line: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(line.count)
    var position = 0
    var field: [UInt8] = []
    while let open = line[position...].firstIndex(of: Self.quote) {
      out.append(contentsOf: line[position...open])
      // Behind the end of a list or an object no string belongs to a field that began in it.
      if line[position..<open].contains(where: { $0 == UInt8(ascii: "]") || $0 == UInt8(ascii: "}") }) { field = [] }
      let close = Self.end(of: line, from: open + 1)
      let content = line[(open + 1)..<close]
      // Behind one another: a encoding inside the string's own encoding is a encoding of what the string says.
      let words = content.contains(Self.backslash) ? Self.unescaped(content) : Array(content)
      let isName = Self.isName(line, endingAt: close)
      let safe = isName || isMachineRead(words, field) ? Self.shapes.redacted(words) : redacted(words)
      if isName { field = words }
      if safe == words { out.append(contentsOf: content) } else { Self.escape(safe, into: &out) }
      position = close
      if close < line.count {
        out.append(Self.quote)
        position += 1
      }
    }
    out.append(contentsOf: line[position...])
    return out
  }

  private func isMachineRead(_ words: [UInt8], _ field: [UInt8]) -> Bool {
    let name = String(decoding: field, as: UTF8.self)
    return Self.machineRead.contains(name) || name == "reason" && Self.reasons.contains(words)
  }

  /// Whether the string that ends there is a field's name: a colon comes next.
  private static func isName(_ line: [UInt8], endingAt close: Int) -> Bool {
    var position = close + 1
    while position < line.count, line[position] == UInt8(ascii: " ") || line[position] == 0x0a { position += 1 }
    return position < line.count && line[position] == UInt8(ascii: ":")
  }

  private static func end(of line: [UInt8], from start: Int) -> Int {
    var position = start
    while position < line.count, line[position] != quote { position += line[position] == backslash ? 2 : 1 }
    return min(position, line.count)
  }

  private static func unescaped(_ content: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(content.count)
    var position = content.startIndex
    var high: UInt32 = 0
    while position < content.endIndex {
      let byte = content[position]
      guard byte == backslash, position + 1 < content.endIndex else {
        out.append(byte)
        position += 1
        continue
      }
      let letter = content[position + 1]
      position += 2
      switch letter {
      case UInt8(ascii: "n"): out.append(0x0a)
      case UInt8(ascii: "r"): out.append(0x0d)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0c)
      case UInt8(ascii: "u"):
        var code: UInt32 = 0
        for digit in content[position...].prefix(4) {
          code = code << 4 | UInt32(SecretEncoding.hexadecimal(digit) ?? 0)
        }
        position = min(position + 4, content.endIndex)
        if (0xd800..<0xdc00).contains(code) {
          high = code
        } else {
          let isPair = (0xdc00..<0xe000).contains(code) && high != 0
          let scalar = isPair ? 0x10000 + (high - 0xd800) << 10 + (code - 0xdc00) : code
          out.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{fffd}").utf8)
          high = 0
        }
      default: out.append(letter)
      }
    }
    return out
  }

  private static func escape(_ words: [UInt8], into out: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    for byte in words {
      switch byte {
      case quote, backslash: out.append(contentsOf: [backslash, byte])
      case 0x0a: out.append(contentsOf: [backslash, UInt8(ascii: "n")])
      case 0..<0x20:
        out.append(contentsOf: Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]])
      default: out.append(byte)
      }
    }
  }
}
