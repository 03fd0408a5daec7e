import Shared
import Testing

@testable import ControllerCore

@Suite("Charts: memory over time")
struct TimelinePictureTests {
  private let mebibyte = 1 << 20

  private func read(_ timelines: [MemoryTimeline]) throws -> ReadPicture {
    try ReadPicture(TimelinePicture.svg(timelines, labels: PictureSamples.labels, title: "Full optimize run"))
  }

  private func points(_ line: ReadPicture.Element) -> [(x: Double, y: Double)] {
    (line.attributes["points"] ?? "").split(separator: " ").map { pair in
      let numbers = pair.split(separator: ",").compactMap { Double($0) }
      return (numbers.first ?? .nan, numbers.last ?? .nan)
    }
  }

  @Test("a line for each side, higher where more memory is taken, with peaks and marks at round numbers")
  func lines() throws {
    let picture = try read([
      PictureSamples.timeline(.head, [10, 300, 200].map { $0 * mebibyte }),
      PictureSamples.timeline(.base, [10, 100, 400].map { $0 * mebibyte }, processes: 3),
    ])
    let base = try #require(picture.elements("polyline", style: "base").first.map(points))
    #expect(base.map(\.x) == [70, 500, 930])
    #expect(base[0].y > base[1].y && base[1].y > base[2].y)
    // Marks go to 500 MiB: 400 of them are four fifths of the height from the bottom.
    #expect(base[2].y == 388 - 280 * 0.8)
    for words in [
      "500 MiB", "0 MiB", "1.0 s", "0.1 s", "base 400 MiB", "head 300 MiB", "Processes (at most 3)",
      "base (main): peak 400 MiB at 1.00 s", "head (feature): peak 300 MiB at 500 ms",
    ] { #expect(picture.words.contains(words), "\(words) in \(picture.words)") }
  }

  @Test("peaks that are close to each other don't cover each other's words")
  func closePeaks() throws {
    let picture = try read([
      PictureSamples.timeline(.base, [1, 300, 1].map { $0 * mebibyte }),
      PictureSamples.timeline(.head, [1, 299, 1].map { $0 * mebibyte }),
    ])
    let words = picture.elements("text", style: "peak")
    #expect(words.count == 2 && abs(words[0].number("y") - words[1].number("y")) >= 14)
  }

  @Test("nothing seen, one point, equal values, no memory at all, and numbers that are none")
  func corners() throws {
    #expect(try read([]).words.contains("Memory was not looked at."))
    #expect(try read([PictureSamples.timeline(.base, [])]).words.contains("base (main): nothing seen"))
    for bytes in [[mebibyte], [mebibyte, mebibyte], [0, 0], [-5], [Int.max]] {
      let picture = try read([PictureSamples.timeline(.head, bytes)])
      let places = try #require(picture.elements("polyline", style: "line").first.map(points))
      #expect(
        places.count == bytes.count && places.allSatisfy { (70...930).contains($0.x) && (108...388).contains($0.y) })
    }
    var odd = PictureSamples.timeline(.head, [mebibyte, mebibyte, mebibyte])
    odd.points[1].seconds = .nan
    odd.points[2].seconds = -.infinity
    #expect(try read([odd]).elements("circle", style: "dot").count == 1)
  }

  @Test("a long run keeps its peak when it is thinned")
  func thinned() throws {
    var bytes = Array(repeating: mebibyte, count: 50_000)
    bytes[31_234] = 100 * mebibyte
    let line = try #require(try read([PictureSamples.timeline(.base, bytes)]).elements("polyline", style: "line").first)
    #expect(points(line).count <= 800)
    #expect(points(line).contains { abs($0.y - (388 - 280 * 100.0 / 150)) < 0.01 })
  }

  @Test("several Pythons are told apart")
  func pythons() throws {
    var other = PictureSamples.timeline(.base, [mebibyte])
    other.python = "3.14"
    let picture = try read([PictureSamples.timeline(.base, [mebibyte]), other])
    #expect(picture.words.contains { $0.hasPrefix("base (main), Python 3.14") })
    #expect(picture.elements("polyline", style: "again").count == 2)
  }

  @Test("hostile words stay text")
  func hostile() throws {
    let svg = TimelinePicture.svg(
      [PictureSamples.timeline(.base, [1])], labels: [.base: PictureSamples.hostile], title: PictureSamples.hostile)
    #expect(try ReadPicture(svg).elements.allSatisfy { $0.name != "script" })
  }

  @Test(
    "axes end at a round number",
    arguments: [
      (0, 5, 0.2, 1), (1, 5, 0.2, 1), (412, 5, 100, 500), (3.2, 5, 1, 4), (1007, 10, 200, 1200), (0.03, 5, 0.01, 0.03),
      (.nan, 5, 0.2, 1),
    ] as [(Double, Int, Double, Double)])
  func axes(largest: Double, marks: Int, step: Double, end: Double) {
    let axis = Axis(largest: largest, marks: marks)
    #expect(abs(axis.step / step - 1) < 1e-9 && abs(axis.end / end - 1) < 1e-9, "\(axis)")
  }
}
