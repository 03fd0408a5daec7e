import Foundation
import Shared
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Profiles and a reader of pictures for the tests of this folder.
enum PictureSamples {
  /// A profile from stacks such as `main codeflash/main.py;load json/decoder.py`, the line being that of the stack.
  static func profile(
    _ stacks: [(String, Double)], side: Side = .head, unit: StackProfile.Unit = .bytes, leftOut: Double = 0
  ) -> StackProfile {
    var frames: [StackProfile.StackFrame] = []
    let placed = stacks.enumerated().map { line, stack in
      let places = stack.0.split(separator: ";").map { call in
        let words = call.split(separator: " ", maxSplits: 1).map(String.init)
        frames.append(.init(name: words[0], file: words.count > 1 ? words[1] : "", line: line + 1))
        return frames.count - 1
      }
      return StackProfile.Stack(frames: places, value: stack.1)
    }
    return StackProfile(
      layer: .micro, metric: "Full optimize run", python: "3.12", side: side, unit: unit, tool: "py-spy 0.4.1",
      frames: frames, stacks: placed, leftOut: leftOut)
  }

  static func timeline(_ side: Side, _ bytes: [Int], processes: Int = 1) -> MemoryTimeline {
    MemoryTimeline(
      python: "3.12", side: side,
      points: bytes.enumerated().map {
        .init(seconds: 0.5 * Double($0), pssBytes: $1, rssBytes: $1, processes: processes)
      })
  }

  static let labels: [Side: String] = [.base: "main", .head: "feature"]
  static let hostile = "</title><script>alert(1)</script>\"'&\u{1B}[2J\u{0}\u{FFFE}\u{202E}]]>\n"
}

/// A picture as a program reads it: the elements with what stands in them.
struct ReadPicture {
  struct Element {
    var name: String
    var attributes: [String: String]
    /// Text in it, without that of elements in it.
    var text = ""
    var children: [Int] = []

    func number(_ attribute: String) -> Double { attributes[attribute].flatMap(Double.init) ?? .nan }
  }

  struct Box {
    var style: String
    var name: String
    var tooltip: String
    var x: Double
    var y: Double
    var width: Double
  }

  var elements: [Element]

  init(_ svg: String) throws {
    let reader = Reader()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = reader
    try #require(parser.parse(), "\(String(describing: parser.parserError)), line \(parser.lineNumber)")
    elements = reader.elements
  }

  /// All words outside of scripts, styles and tooltips.
  var words: [String] { elements.filter { $0.name == "text" }.map(\.text) }

  func elements(_ name: String, style: String) -> [Element] {
    elements.filter { $0.name == name && ($0.attributes["class"] ?? "").split(separator: " ").contains(style[...]) }
  }

  /// The boxes of the strips, by strip: 0 is the upper one.
  func boxes(strip: Int = 0) -> [Box] {
    elements("g", style: "strip").dropFirst(strip).prefix(1).flatMap(\.children).map { elements[$0] }.map { element in
      let tooltip = element.children.map { elements[$0] }.first { $0.name == "title" }?.text ?? ""
      return Box(
        style: element.attributes["class"] ?? "", name: String(tooltip.prefix { $0 != "\n" }), tooltip: tooltip,
        x: element.number("x"), y: element.number("y"), width: element.number("width"))
    }
  }

  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [Element] = []
    private var open: [Int] = []

    func parser(
      _: XMLParser, didStartElement name: String, namespaceURI _: String?, qualifiedName _: String?,
      attributes: [String: String]
    ) {
      elements.append(Element(name: name, attributes: attributes))
      if let parent = open.last { elements[parent].children.append(elements.count - 1) }
      open.append(elements.count - 1)
    }

    func parser(_: XMLParser, didEndElement _: String, namespaceURI _: String?, qualifiedName _: String?) {
      open.removeLast()
    }

    func parser(_: XMLParser, foundCharacters text: String) {
      if let element = open.last { elements[element].text += text }
    }
  }
}
