import Shared
import Testing

@testable import ControllerCore

@Suite("Charts: the difference of two sides")
struct DifferentialFlameGraphTests {
  private let base = PictureSamples.profile(
    [
      ("main codeflash/main.py;grew codeflash/a.py", 100), ("main codeflash/main.py;shrank codeflash/a.py", 300),
      ("main codeflash/main.py;stayed codeflash/a.py", 200),
      ("main codeflash/main.py;gone codeflash/a.py;inner codeflash/a.py", 150),
    ], side: .base)
  private let head = PictureSamples.profile([
    ("main codeflash/main.py;grew codeflash/a.py", 290), ("main codeflash/main.py;shrank codeflash/a.py", 250),
    ("main codeflash/main.py;stayed codeflash/a.py", 202), ("main codeflash/main.py;added codeflash/a.py", 110),
  ])

  private func svg(_ base: StackProfile, _ head: StackProfile) -> String {
    DifferentialFlameGraph.svg(base: base, head: head, labels: PictureSamples.labels)
  }

  @Test("red is where head spends more, blue where it spends less, grey what is as much")
  func direction() throws {
    let boxes = try ReadPicture(svg(base, head)).boxes()
    let styles = Dictionary(uniqueKeysWithValues: boxes.map { (String($0.name.prefix { $0 != " " }), $0.style) })
    #expect(
      styles == [
        "all": "aLittleMore", "main": "aLittleMore", "grew": "muchMore", "shrank": "aLittleLess", "stayed": "same",
        "added": "muchMore",
      ])
    let picture = svg(base, head)
    #expect(picture.contains(".muchMore rect { fill: #e3") && picture.contains(".muchLess rect { fill: #51"))
    #expect(picture.contains("red: head takes MORE memory than base"))
    #expect(picture.contains("blue: head takes LESS memory than base"))
  }

  @Test("turning the sides round turns every colour round")
  func symmetry() {
    for (one, other) in [(100.0, 290.0), (300, 250), (200, 202), (150, 0), (0, 3), (5, 5)] {
      let noise = FrameChange.Noise([base, head])
      let step = FrameChange(base: one, head: other).step(noise)
      let turned = FrameChange(base: other, head: one).step(noise)
      let all = FrameChange.Step.allCases
      #expect((all.firstIndex(of: step) ?? -1) + (all.firstIndex(of: turned) ?? -1) == all.count - 1)
    }
  }

  @Test("what head no longer calls has a strip of its own")
  func gone() throws {
    let picture = try ReadPicture(svg(base, head))
    let gone = picture.boxes(strip: 1)
    #expect(gone.map(\.name) == ["gone (codeflash/a.py)", "inner (codeflash/a.py)"])
    #expect(gone.allSatisfy { $0.style == "muchLess" })
    #expect(gone[0].tooltip.hasPrefix("gone (codeflash/a.py)\ncalled by main (codeflash/main.py)\nbase (main): 150 B"))
    // The scale of the strip above: 150 of head's 852.
    #expect(gone.allSatisfy { abs($0.width - 1180 * 150 / 852) < 0.01 })
    #expect(picture.words.contains { $0.hasPrefix("BASE ONLY: 150 B in calls that head no longer makes") })
    let stripless = try ReadPicture(svg(base, base))
    #expect(stripless.boxes(strip: 1).isEmpty)
    #expect(stripless.words.contains("BASE ONLY: nothing that base calls is missing in head"))
  }

  @Test("a call that is too small to draw in head alone is not lost either")
  func nearlyGone() throws {
    let small = PictureSamples.profile([("main a.py", 100_000), ("main a.py;f a.py", 20)])
    let large = PictureSamples.profile([("main a.py", 100_000), ("main a.py;f a.py", 50_000)], side: .base)
    let gone = try ReadPicture(svg(large, small)).boxes(strip: 1)
    #expect(gone.map(\.name) == ["f (a.py)"])
    #expect(gone.first?.tooltip.contains("head (feature): 20 B") == true)
  }

  @Test("a tooltip has both sides and says in words who spends more")
  func tooltip() throws {
    let boxes = try ReadPicture(svg(base, head)).boxes()
    #expect(
      boxes.first { $0.name.hasPrefix("grew") }?.tooltip == """
        grew (codeflash/a.py)
        base (main): 100 B, 13.3% of its whole
        head (feature): 290 B, 34.0% of its whole
        head takes 190 B MORE than base (+190%)
        """)
    #expect(
      boxes.first { $0.name.hasPrefix("added") }?.tooltip.contains("base (main): not called here\n") == true)
    let all = try ReadPicture(svg(head, base)).boxes()[0].tooltip
    #expect(all.hasSuffix("head takes 102 B LESS than base (-12%)"))
  }

  @Test("a call that moved says what it weighs on both sides wherever it is called")
  func moved() throws {
    let before = PictureSamples.profile([("main a.py;load a.py", 100)], side: .base)
    let after = PictureSamples.profile([("main a.py;wrapper a.py;load a.py", 90)])
    let picture = try ReadPicture(svg(before, after))
    for box in [picture.boxes()[3], picture.boxes(strip: 1)[0]] {
      #expect(box.tooltip.hasSuffix("wherever it is called from: base 100 B, head 90 B"), "\(box)")
    }
  }

  @Test("few samples more or less are noise, in time only")
  func noise() {
    let seconds = FrameChange.Noise([
      PictureSamples.profile([("f a.py", 0.01), ("g a.py", 1)], unit: .seconds),
      PictureSamples.profile([("f a.py", 0.01), ("g a.py", 1)], side: .base, unit: .seconds),
    ])
    #expect(FrameChange(base: 0, head: 0.03).step(seconds) == .same)
    #expect(FrameChange(base: 0.05, head: 0.10).step(seconds) == .same)
    #expect(FrameChange(base: 0, head: 0.06).step(seconds) == .muchMore)
    #expect(FrameChange(base: 0.5, head: 1).step(seconds) == .more)
    let bytes = FrameChange.Noise([PictureSamples.profile([("f a.py", 10), ("g a.py", 1000)])])
    #expect(FrameChange(base: 0, head: 30).step(bytes) == .muchMore)
    #expect(FrameChange(base: 1000, head: 1029).step(bytes) == .same)
  }

  @Test("the totals stand at one scale, base first")
  func totals() throws {
    let picture = try ReadPicture(svg(base, head))
    let bars = picture.elements("rect", style: "baseTotal") + picture.elements("rect", style: "headTotal")
    #expect(bars.map { ($0.number("width")).rounded() } == [(730.0 * 750 / 852).rounded(), 730])
    #expect(picture.words.contains("base: 750 B · main") && picture.words.contains("head: 852 B · feature"))
    #expect(picture.words.contains("In total head takes 102 B MORE than base (+14%)."))
  }

  @Test("a side without stacks, or both")
  func empty() throws {
    let none = PictureSamples.profile([])
    #expect(try ReadPicture(svg(none, none)).words.contains("No stacks were taken on either side."))
    let gone = try ReadPicture(svg(base, none))
    #expect(gone.boxes().isEmpty && gone.boxes(strip: 1).first?.width == 1180)
    let new = try ReadPicture(svg(none, head))
    #expect(new.boxes().allSatisfy { $0.style == "muchMore" } && new.boxes(strip: 1).isEmpty)
  }

  @Test("hostile names and labels stay text")
  func hostile() throws {
    var profile = base
    profile.metric = PictureSamples.hostile
    profile.frames = profile.frames.map { .init(name: PictureSamples.hostile, file: $0.file, line: 0) }
    let picture = try ReadPicture(
      DifferentialFlameGraph.svg(
        base: profile, head: profile, labels: [.base: PictureSamples.hostile, .head: PictureSamples.hostile]))
    #expect(picture.elements.filter { $0.name == "script" }.count == 1)
  }

  @Test("the same profiles give the same bytes")
  func deterministic() {
    let many = PictureSamples.profile((0..<60).map { ("main a.py;f\($0) a.py", 1) }, side: .base)
    let others = PictureSamples.profile((30..<90).map { ("main a.py;f\($0) a.py", 1) })
    var turned = others
    turned.stacks.reverse()
    #expect(svg(many, others) == svg(many, turned))
  }
}
