import Shared
import Testing

@testable import ControllerCore

@Suite("Text of the measured code stays text")
struct EscapingTests {
  @Test(
    "Markdown, HTML, mentions, references and links lose their meaning",
    arguments: [
      ("a|b", #"a\|b"#), ("`x`", #"\`x\`"#), ("<img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"),
      ("&lt;", "&amp;lt;"), ("@octocat did", "@\u{200B}octocat did"), ("CPU @ 2 GHz", "CPU @ 2 GHz"),
      ("fixes #12", "fixes #\u{200B}12"),
      ("GH-12", "GH-\u{200B}12"), ("high-end", "high-end"), ("[a](http://x)", "\\[a\\](http:\u{200B}//x)"),
      ("see https://x.y and www.z", "see https:\u{200B}//x.y and www\u{200B}.z"),
      ("**bold** _it_", #"\*\*bold\*\* \_it\_"#),
      (#"back\slash"#, #"back\\slash"#), ("two\nlines\r\nand\ttab", "two lines and tab"),
      ("\u{1B}[31mred\u{07}", #"\[31mred"#),
      ("evil\u{202E}txt\u{200B}", "eviltxt"), ("~~gone~~ $x$", #"\~\~gone\~\~ \$x\$"#), ("time: 3.5", "time: 3.5"),
    ])
  func text(raw: String, markdown: String) { #expect(Markdown.text(raw) == markdown) }

  @Test(
    "a paragraph becomes no heading, list or rule",
    arguments: [
      ("# a", "\\# a"), ("- a", #"\- a"#), ("12. a", #"12\. a"#), ("1) a", #"1\) a"#), ("--- ", #"\--- "#),
      ("3.5 s", #"3\.5 s"#),
    ])
  func paragraph(raw: String, markdown: String) { #expect(Markdown.paragraph(raw) == markdown) }

  @Test(
    "code keeps its letters behind a fence that it can't close",
    arguments: [
      ("codeflash --version", "`codeflash --version`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("``a`", "``` ``a` ```"),
      ("", "` `"), ("a\nb", "`a b`"), ("<b>@x", "`<b>@x`"),
    ])
  func code(raw: String, markdown: String) { #expect(Markdown.code(raw) == markdown) }

  @Test("a cell can't end its column, whether escaped before or not")
  func cells() {
    let row = Markdown.table(["A"], [[Markdown.code("x|y")], [Markdown.text("x|y")], [#"\\|"#]])
    #expect(row == "| A |\n| --- |\n| `x\\|y` |\n| x\\|y |\n| \\\\\\| |\n")
  }

  private static let hostile = "`x` | </summary><script>@octocat #1 \u{1B}[2J\n## fake\n|a|b| \u{202E}"

  /// A job whose every text is written by somebody who means harm.
  private var hostileFixture: EventFixture {
    var story = EventFixture()
    story.labels = [.base: "main" + Self.hostile, .head: Self.hostile]
    story.metrics = [(Self.hostile, .startup, 1, 0.5), ("micro: " + Self.hostile, .micro, 1, 2)]
    story.importNames = [.base: [("m" + Self.hostile, 0, 10)], .head: [("n" + Self.hostile, 0, 10)]]
    story.troubles = [
      Trouble(
        layer: .startup, metric: Self.hostile, python: Self.hostile, side: .base,
        problem: Problem(what: Self.hostile, why: Self.hostile, fix: Self.hostile, exitStatus: .partial))
    ]
    return story
  }

  @Test("a hostile job can't change the shape of the comment or the summary")
  func hostileMarkdown() {
    let report = ComparisonReport(record: hostileFixture.record, alpha: 0.01, delta: 0.02)
    let side = SideReport(.base, record: hostileFixture.record, comparison: .init(other: Self.hostile, folder: "x"))
    for text in [Comment.text(report), Summary.text(side)] {
      #expect(!text.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
      #expect(text.split(separator: "\n").allSatisfy { !$0.hasPrefix("## fake") && !$0.hasPrefix("|a|b|") })
      // Outside of code nothing of it is HTML or a mention.
      #expect(!withoutCode(text).contains("<script>") && !withoutCode(text).contains("@octocat"))
      for line in text.split(separator: "\n") where line.hasPrefix("|") {
        #expect([3, 4, 5, 6, 7].contains(columns(line) + 1), "\(line)")
      }
    }
    let comment = Comment.text(report)
    #expect(comment.ranges(of: "<details>").count == comment.ranges(of: "</details>").count)
    #expect(withoutCode(comment).ranges(of: "</summary>").count == comment.ranges(of: "<details>").count)
  }

  @Test("a hostile job can't move a terminal's cursor or start a line of its own")
  func hostileTerminal() {
    let report = ComparisonReport(record: hostileFixture.record, alpha: 0.01, delta: 0.02)
    for text in [
      TerminalTable.text(report, style: .plain),
      TerminalTable.text(SideReport(.base, record: hostileFixture.record, comparison: nil), style: .plain),
    ] {
      #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0 == "\u{202E}" })
      #expect(text.split(separator: "\n").allSatisfy { !$0.hasPrefix("## fake") })
    }
  }

  /// Unescaped bars, less one: the columns of a row.
  private func columns(_ line: Substring) -> Int {
    var bars = 0
    var isEscaped = false
    for character in line {
      if character == "|", !isEscaped { bars += 1 }
      isEscaped = character == "\\" && !isEscaped
    }
    return bars - 1
  }

  /// The text with code spans taken out as CommonMark finds them: a run of backticks up to the next run of that length.
  private func withoutCode(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      var rest = line.replacing(#"\`"#, with: "")[...]
      var kept = ""
      while let start = rest.firstIndex(of: "`") {
        kept += rest[..<start]
        let fence = rest[start...].prefix { $0 == "`" }
        rest = rest[fence.endIndex...]
        var search = rest
        while let end = search.firstIndex(of: "`") {
          let run = search[end...].prefix { $0 == "`" }
          search = search[run.endIndex...]
          if run.count == fence.count {
            rest = search
            break
          }
        }
      }
      return kept + rest
    }.joined(separator: "\n")
  }

  @Test("however much there is to say, GitHub takes the comment whole and it stays well formed")
  func bounded() {
    var story = EventFixture()
    story.noise = 0.2
    story.blocks = 8
    story.metrics = (0..<300).map {
      ("micro: a rather long name of a target, number \($0) " + String(repeating: "<&>", count: 60), .micro, 1, 1)
    }
    story.troubles = (0..<500).map { index in
      Trouble(
        metric: "m\(index)",
        problem: Problem(
          what: String(repeating: "<", count: 900), why: "\(index)", fix: String(repeating: "&", count: 900),
          exitStatus: .partial))
    }
    let comment = Comment.text(ComparisonReport(record: story.record, alpha: 0.01, delta: 0.02))
    #expect(comment.utf8.count < 65_536 && comment.utf8.count > 30_000)
    #expect(comment.ranges(of: "<details>").count == comment.ranges(of: "</details>").count)
    #expect(comment.contains("more stand in `comparison.json`"))
    #expect(comment.contains("more, in `comparison.json`"))
  }
}
