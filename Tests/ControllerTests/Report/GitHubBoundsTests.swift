import Foundation
import GitHub
import Shared
import TestSupport
import Testing

@testable import ControllerCore

/// A run of more metrics than anybody has, whose every name is written by somebody who means harm.
@Suite("Whatever is measured, and whatever it is called, GitHub takes what is said of it, and interprets none of it")
struct GitHubBoundsTests {
  private static let evil = [
    "**bold** _x_ ~~y~~ <b>", "</summary></details><script>alert(1)</script>", "<img src=x onerror=y>",
    "@octo/team @everyone",
    "#12 GH-34 fixes octo/project#1", "[a](javascript:x) ![b](http://x.y/z.png)",
    "https://evil.example www.evil.example",
    "::set-env name=PATH::/tmp\n::error::x", "EOF\nverdict=improved\nEOF", "\u{1B}[2J\u{1B}[31mred\u{7}",
    "\u{202E}txt.exe\u{2066}",
    "`code` ``` `", "| a | b |\n|---|---|", "\\| \\` \\\\", "<!-- cf-bench:comment run=99999 attempt=1 -->",
    "&lt;b&gt; &#64;octocat",
    "# heading\n> quote\n- list\n---", "$x$ $$y$$", "%0A::add-mask::x", "\u{0}\u{85}\u{2028}x", "~~~\n```",
    "<https://evil.example>",
    "a@b.example", "\r\n::stop-commands::x\r\n", String(repeating: "é", count: 5_000),
    "{{ secrets.X }} ${{ github.token }}",
  ]

  static func name(_ index: Int) -> String {
    if index == 17 { return "long " + String(repeating: "<@x|`", count: 200_000) }
    return "\(evil[index % evil.count]) \(index)"
  }

  private static func document(_ count: Int) -> ComparisonDocument {
    let verdicts: [ComparisonDocument.RunVerdict] = [.regressed, .improved, .equivalent, .undecided]
    let metrics = (0..<count).map { index in
      let verdict = verdicts[index % 4]
      let ratio = verdict == .regressed ? 1.1 + Double(index) / 10_000 : verdict == .improved ? 0.8 : 1
      return ComparisonDocument.Metric(
        name: name(index), layer: index % 3 == 0 ? .startup : .micro, python: index % 2 == 0 ? "3.12" : name(index + 1),
        unit: "s",
        base: 1, head: ratio, ratio: ratio, low: ratio * 0.99, high: ratio * 1.01, level: 0.99, verdict: verdict,
        blocks: 20, resolution: 0.018)
    }
    return ComparisonDocument(
      base: .init(label: name(0), commit: nil, identity: nil), head: .init(label: name(1), commit: "1", identity: nil),
      verdict: .regressed, identical: false, complete: true, metrics: metrics, controls: [], host: nil,
      spending: .init(), seconds: 10, method: .init(name: "x", alpha: 0.01, delta: 0.02),
      troubles: [
        Trouble(metric: name(4), problem: Problem(what: name(5), why: name(6), fix: name(7), exitStatus: .partial))
      ],
      skipped: [])
  }

  private static let report: ComparisonReport = {
    var report = ComparisonReport(document: document(10_000))
    report.gate = Gate(rules: ["regression", "regression:" + name(3)].compactMap(GateRule.init), undecided: .pass)
    report.notes = [name(8), name(10)]
    return report
  }()

  @Test("the comment of 10,000 metrics")
  func comment() async throws {
    let text = Comment.text(Self.report)
    #expect(text.count < StickyComment.characterLimit && text.utf8.count <= Comment.byteLimit)
    #expect(text.hasPrefix("## Benchmark Results") && text.contains("more stand in `comparison.json`"))
    let findings = try await RenderedMarkdown.findings(text)
    #expect(findings == "")
  }

  @Test("the summary of the same run is larger, whole, and below GitHub's limit")
  func summary() async throws {
    let text = Comment.text(Self.report, limit: StepFiles.summaryLimit - 10_000)
    #expect(text.utf8.count > 200_000 && text.utf8.count < StepFiles.summaryLimit)
    let findings = try await RenderedMarkdown.findings(text)
    #expect(findings == "")
  }

  @Test("annotations: ten a kind, one line each, the largest change first, nothing the runner could take for a command")
  func annotations() throws {
    let all = ComparisonAnnotations.all(Self.report, workspace: nil)
    #expect(all.count == 5_000)
    let shown = Annotation.bounded(all)
    #expect(Annotation.Kind.allCases.allSatisfy { kind in shown.count { $0.kind == kind } <= 10 } && shown.count == 20)
    let worst = Self.report.document.metrics.filter { $0.verdict == .regressed }.map(\.ratio).max()
    let value = VerdictFormatter.value(try #require(worst), unit: "s")
    #expect(shown.first?.message.hasSuffix("→ \(value)") == true, "\(shown[0].message)")
    for annotation in shown {
      let line = WorkflowCommands.line(annotation)
      #expect(line.utf8.allSatisfy { $0 >= 0x20 } && line.utf8.count < 4_000)
      #expect(line.hasPrefix("::\(annotation.kind.rawValue) title="))
    }
  }

  @Test("each hostile name alone, wherever a name can stand", arguments: evil)
  func alone(name: String) async throws {
    var document = Self.document(1)
    document.metrics[0].name = name
    document.metrics[0].python = name
    document.base.label = name
    document.head.label = name
    var report = ComparisonReport(document: document)
    report.notes = [name]
    let findings = try await RenderedMarkdown.findings(Comment.text(report))
    #expect(findings == "")
  }
}
