import Shared
import Testing

@testable import ControllerCore

@Suite("Charts: the flame graph of one side")
struct FlameGraphTests {
  private func read(_ profile: StackProfile, label: String = "feature") throws -> ReadPicture {
    try ReadPicture(FlameGraph.svg(profile, label: label, importName: "codeflash"))
  }

  @Test("a function has one box below its caller whatever lines ran, and widths add up")
  func merging() throws {
    let boxes = try read(
      PictureSamples.profile([
        ("main codeflash/main.py;parse codeflash/parse.py;loads json/decoder.py", 60),
        ("main codeflash/main.py;parse codeflash/parse.py", 20), ("main codeflash/main.py;parse other/parse.py", 15),
        ("main codeflash/main.py;loads json/decoder.py", 5),
      ])
    ).boxes()
    #expect(
      boxes.map(\.name) == [
        "all", "main (codeflash/main.py)", "parse (codeflash/parse.py)", "loads (json/decoder.py)",
        "parse (other/parse.py)", "loads (json/decoder.py)",
      ])
    let whole = 1180.0
    #expect(boxes.map { ($0.width / whole * 100).rounded() } == [100, 100, 80, 60, 15, 5])
    // Those that one call makes lie side by side, from its left end on, one row lower.
    #expect(boxes[4].x == boxes[2].x + boxes[2].width && boxes[5].x == boxes[4].x + boxes[4].width)
    #expect(boxes[4].y == boxes[2].y && boxes[3].y == boxes[2].y + 17 && boxes[3].x == boxes[2].x)
    #expect(boxes[3].tooltip == "loads (json/decoder.py)\n60 B, 60.0% of the whole")
  }

  @Test("calls that are too light share a box, and the picture says how many there are")
  func cutOff() throws {
    let light = (0..<10).map { ("main codeflash/main.py;tiny\($0) codeflash/main.py;deep codeflash/main.py", 50.0) }
    let picture = try read(PictureSamples.profile([("main codeflash/main.py", 99_500)] + light))
    #expect(picture.boxes().map(\.name) == ["all", "main (codeflash/main.py)", "10 smaller"])
    #expect(picture.words.contains("Not drawn: 20 calls under 0.1% of the whole have no box of their own."))
  }

  @Test("a picture has no more than 4000 boxes, however many calls there are")
  func bound() throws {
    let stacks = (0..<900).map { number in
      ((0..<30).map { "f\(number)_\($0) codeflash/main.py" }.joined(separator: ";"), 1.0)
    }
    #expect(try read(PictureSamples.profile(stacks)).boxes().count <= 4000)
  }

  @Test("recursion is cut where nobody looks any more, without losing its weight")
  func depth() throws {
    let picture = try read(
      PictureSamples.profile([(Array(repeating: "visit libcst/node.py", count: 3000).joined(separator: ";"), 7)]))
    #expect(picture.boxes().count == 251)
    #expect(picture.boxes().allSatisfy { $0.width == 1180 })
    #expect(picture.words.contains { $0.contains("deeper than 250") })
  }

  @Test(
    "colours tell the code under test from packages and from the standard library",
    arguments: [
      ("codeflash/main.py", "target"), ("src/codeflash/main.py", "target"), ("codeflash.py", "target"),
      ("/x/lib/python3.12/site-packages/codeflash/main.py", "target"), ("codeflash_other/main.py", "package"),
      ("libcst/_nodes/base.py", "package"), ("lib/python3.12/site-packages/json/x.py", "package"),
      ("json/decoder.py", "standard"), ("threading.py", "standard"), ("/usr/lib/python3.12/ast.py", "standard"),
      ("<frozen importlib._bootstrap>", "standard"), ("", "standard"), ("libc.so.6", "standard"),
      ("jiter/jiter.cpython-312-x86_64-linux-gnu.so", "package"),
    ])
  func origins(file: String, origin: String) {
    #expect(FrameOrigin(file: file, importName: "codeflash").rawValue == origin)
  }

  @Test("a dotted import name is the folder below")
  func dottedImport() {
    #expect(FrameOrigin(file: "google/auth/x.py", importName: "google.auth") == .target)
    #expect(FrameOrigin(file: "google/auth.py", importName: "google.auth") == .target)
    #expect(FrameOrigin(file: "google/cloud/x.py", importName: "google.auth") == .package)
  }

  @Test("hostile names stay text")
  func hostile() throws {
    var profile = PictureSamples.profile([("main codeflash/main.py", 10)])
    profile.metric = PictureSamples.hostile
    profile.tool = PictureSamples.hostile
    profile.python = PictureSamples.hostile
    profile.frames = [.init(name: PictureSamples.hostile, file: PictureSamples.hostile, line: -1)]
    let svg = FlameGraph.svg(profile, label: PictureSamples.hostile, importName: PictureSamples.hostile)
    let picture = try ReadPicture(svg)
    #expect(picture.elements.filter { $0.name == "script" }.count == 1)
    #expect(!svg.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0 == "\u{202E}" || $0 == "\u{FFFE}" })
    #expect(picture.boxes()[1].name.hasPrefix("</title><script>alert(1)</script>\"'&[2J]]>"))
  }

  @Test("an endless name takes no room")
  func endlessName() {
    let profile = PictureSamples.profile([("f\(String(repeating: "\u{0301}", count: 100_000)) codeflash/main.py", 1)])
    #expect(FlameGraph.svg(profile, label: "x", importName: "codeflash").utf8.count < 20_000)
  }

  @Test("a profile without stacks is a picture that says so")
  func empty() throws {
    #expect(try read(PictureSamples.profile([])).words.contains("No stacks were taken."))
  }

  @Test("weights that are no weights and places without a frame do no harm")
  func slips() throws {
    var profile = PictureSamples.profile([
      ("main a.py", 1), ("nan a.py", .nan), ("inf a.py", .infinity), ("minus a.py", -1), ("zero a.py", 0),
    ])
    profile.stacks.append(.init(frames: [99, -1], value: 1))
    profile.stacks.append(.init(frames: [], value: 2))
    #expect(try read(profile).boxes().map(\.name) == ["all", "?", "?", "main (a.py)"])
  }

  @Test("one sample, and what was left out for size")
  func oneSample() throws {
    let picture = try read(PictureSamples.profile([("main codeflash/main.py", 0.01)], unit: .seconds, leftOut: 0.03))
    #expect(picture.boxes().map(\.width) == [1180, 295])
    #expect(picture.words.contains("head: feature · Python 3.12 · py-spy 0.4.1 · time in total: 40.0 ms"))
    #expect(picture.words.contains { $0.contains("stacks left out for size: 30.0 ms") })
  }

  @Test("the same profile gives the same bytes, also when equal stacks come in another order")
  func deterministic() {
    let stacks = (0..<50).map { ("main codeflash/main.py;f\($0) codeflash/main.py", 1.0) }
    let once = FlameGraph.svg(PictureSamples.profile(stacks), label: "x", importName: "codeflash")
    #expect(once == FlameGraph.svg(PictureSamples.profile(stacks.reversed()), label: "x", importName: "codeflash"))
  }
}
