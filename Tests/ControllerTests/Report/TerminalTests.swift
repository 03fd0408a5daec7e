import Shared
import Synchronization
import Testing

@testable import ControllerCore

@Suite("Colour and progress on a terminal")
struct TerminalTests {
  @Test("colour needs a terminal, and NO_COLOR and TERM=dumb forbid it")
  func colour() {
    #expect(TerminalStyle(isTerminal: true, environment: ["TERM": "xterm"]).hasColour)
    #expect(TerminalStyle(isTerminal: true, environment: ["NO_COLOR": ""]).hasColour)
    #expect(!TerminalStyle(isTerminal: true, environment: ["NO_COLOR": "1"]).hasColour)
    #expect(!TerminalStyle(isTerminal: true, environment: ["TERM": "dumb"]).hasColour)
    #expect(!TerminalStyle(isTerminal: false, environment: [:]).hasColour)
  }

  @Test("coloured or not, the table says the same")
  func sameWords() {
    let report = ComparisonReport(record: EventFixture().record, alpha: 0.01, delta: 0.02)
    let coloured = TerminalTable.text(report, style: TerminalStyle(hasColour: true))
    #expect(coloured.contains("\u{1B}[32m") && coloured.contains("\u{1B}[31m"))
    var stripped = coloured
    for code in ["0", "1", "31", "32", "33"] { stripped = stripped.replacing("\u{1B}[\(code)m", with: "") }
    #expect(stripped == TerminalTable.text(report, style: .plain))
  }

  /// A clock that a test moves, and everything that was written.
  private final class Testbed: Sendable {
    let time = Mutex(100.0)
    let written = Mutex("")
    var text: String { written.withLock { $0 } }
    func pass(_ seconds: Double) { time.withLock { $0 += seconds } }

    func progress(_ mode: TerminalProgress.Mode) -> TerminalProgress {
      TerminalProgress(
        mode: mode, now: { self.time.withLock { $0 } }, sink: { text in self.written.withLock { $0 += text } })
    }
  }

  private func play(_ events: [NumberedEvent], secondsEach: Double, mode: TerminalProgress.Mode) -> Testbed {
    let testbed = Testbed()
    let progress = testbed.progress(mode)
    for event in events {
      progress.handle(event.event)
      testbed.pass(secondsEach)
    }
    progress.finish("results: results/x")
    progress.finish("twice")
    progress.tick()
    return testbed
  }

  @Test("the line says layer, n of m, a bar and the time, and keeps within the width")
  func drawing() {
    let testbed = Testbed()
    let progress = testbed.progress(.redrawn(width: 70))
    #expect(progress.draw() == "connecting  0.0 s")
    progress.handle(.phase(Phase(text: "installing codeflash==0.20.5\u{1B}[2J for Python 3.12")))
    #expect(progress.draw() == "installing codeflash==0.20.5[2J for Python 3.12  0.0 s")
    progress.handle(.layerStarted(LayerStarted(layer: .startup, python: "3.12", plannedSamples: 4)))
    for position in 0..<3 {
      testbed.pass(30)
      progress.handle(.sample(sample(position)))
    }
    #expect(progress.draw() == "startup, Python 3.12: 3 of 4  ███████████████████░░░░░░░  1 min 30 s")
    #expect(progress.draw().count <= 70)
    for width in 20...70 {
      let narrow = testbed.progress(.redrawn(width: width))
      narrow.handle(.layerStarted(LayerStarted(layer: .startup, python: "3.12", plannedSamples: 4)))
      #expect(narrow.draw().count <= width)
    }
  }

  private func sample(_ position: Int) -> Sample {
    Sample(
      layer: .startup, metric: "codeflash --version", python: "3.12", arm: .base, block: 0, position: position,
      value: 1)
  }

  @Test("on a terminal one line is redrawn, cleared before what stays, and the last line stays")
  func redrawn() {
    let text = play(EventFixture().events, secondsEach: 0.2, mode: .redrawn(width: 80)).text
    #expect(text.hasSuffix("\r\u{1B}[2Kresults: results/x\n"))
    #expect(text.split(separator: "\n").count == 1)
    let frames = text.replacing("\u{1B}[2K", with: "").split(separator: "\r")
    #expect(frames.count > 100 && frames.allSatisfy { $0.count <= 80 })
  }

  @Test("a fast stream is not drawn for every sample")
  func throttled() {
    let events = EventFixture().events
    let text = play(events, secondsEach: 0.001, mode: .redrawn(width: 80)).text
    #expect(text.split(separator: "\r").count < 40)
  }

  @Test("elsewhere: no control character, a line a step, one every ten seconds while samples come, the last one always")
  func plain() {
    let events = EventFixture().events
    let testbed = play(events, secondsEach: 0.5, mode: .plain)
    #expect(!testbed.text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    let lines = testbed.text.split(separator: "\n")
    #expect(lines.last == "results: results/x")
    let counted = lines.filter { $0.contains(" of ") }
    let measuring = Double(events.count { if case .sample = $0.event { true } else { false } }) * 0.5
    #expect(counted.count <= Int(measuring / 10) && counted.count >= Int(measuring / 10) - 4)
    #expect(lines.contains("installing codeflash==0.20.5 for Python 3.12"))
    #expect(lines.contains("startup, Python 3.12: 224 samples"))
    #expect(lines.contains("done after 3 min 7 s"))
  }

  @Test("quiet says nothing at all")
  func quiet() { #expect(play(EventFixture().events, secondsEach: 1, mode: .quiet).text.isEmpty) }

  @Test("a trouble is said when it happens, on a line that stays")
  func trouble() {
    let testbed = Testbed()
    let progress = testbed.progress(.redrawn(width: 60))
    progress.handle(.phase(Phase(text: "a")))
    progress.handle(
      .trouble(
        Trouble(metric: "codeflash --help", problem: Problem(what: "ended\nwith 1", fix: "x", exitStatus: .partial))))
    #expect(testbed.text.hasSuffix("\r\u{1B}[2Ktrouble: codeflash --help: ended with 1\n"))
  }

  @Test("the clock goes on while nothing happens")
  func ticking() {
    let testbed = Testbed()
    let progress = testbed.progress(.redrawn(width: 60))
    testbed.pass(5)
    progress.tick()
    #expect(testbed.text == "\r\u{1B}[2Kconnecting  5.0 s")
    let plain = Testbed()
    plain.progress(.plain).tick()
    #expect(plain.text.isEmpty)
  }

  @Test("the way of showing follows from where it goes")
  func modes() {
    typealias Mode = TerminalProgress.Mode
    #expect(Mode.choose(isTerminal: true, isQuiet: false, width: 90, environment: [:]) == .redrawn(width: 90))
    #expect(Mode.choose(isTerminal: true, isQuiet: false, width: 0, environment: [:]) == .redrawn(width: 20))
    #expect(Mode.choose(isTerminal: true, isQuiet: false, width: 90, environment: ["TERM": "dumb"]) == .plain)
    #expect(Mode.choose(isTerminal: false, isQuiet: false, width: 90, environment: [:]) == .plain)
    #expect(Mode.choose(isTerminal: true, isQuiet: true, width: 90, environment: [:]) == .quiet)
  }
}
