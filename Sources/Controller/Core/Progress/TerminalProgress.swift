import Shared
import Synchronization

/// Tells a person how far a job is: on a terminal one line drawn over and over, elsewhere lines that stay.
///
/// Writes to the sink it is given (standard error: results have standard output for themselves), and reads the clock it
/// is given. Safe to use from any task; what is written is whole lines in the order of the calls.
final class TerminalProgress: Sendable {
  enum Mode: Equatable, Sendable {
    /// One line, redrawn in place, `width` columns wide.
    case redrawn(width: Int)
    /// Permanent lines, without control characters: a line a step, and while samples come one every ten seconds.
    case plain
    case quiet

    /// A terminal that can go back to the start of a line gets the bar.
    static func choose(isTerminal: Bool, isQuiet: Bool, width: Int, environment: [String: String]) -> Mode {
      if isQuiet { return .quiet }
      return isTerminal && environment["TERM"] != "dumb" ? .redrawn(width: max(20, width)) : .plain
    }
  }

  /// Back to the start of the line, and clear it (ECMA-48 EL 2).
  private static let eraseLine = "\r\u{1B}[2K"
  /// The least time between two plain lines of one layer, in seconds.
  static let plainInterval = 10.0
  /// The least time between two drawings for samples, in seconds: a terminal at the end of a slow line keeps up.
  static let drawInterval = 0.1

  private struct State {
    var progress = ProgressState()
    var started: Double
    var lastDrawn = -Double.infinity
    var lastPlain = -Double.infinity
    var isDrawn = false
    var isFinished = false
  }

  private let mode: Mode
  private let now: @Sendable () -> Double
  private let frames: @Sendable (String) -> Void
  private let sink: @Sendable (String) -> Void
  private let state: Mutex<State>

  /// - Parameters:
  ///   - now: Seconds on a clock that only goes forward.
  ///   - frames: Takes drawings of the line, each in the place of the one before; ``sink`` if nil.
  ///   - sink: Takes text for standard error. Neither may wait: who measures or reads has called.
  init(
    mode: Mode, now: @escaping @Sendable () -> Double = TerminalProgress.monotonicSeconds,
    frames: (@Sendable (String) -> Void)? = nil, sink: @escaping @Sendable (String) -> Void
  ) {
    self.mode = mode
    self.now = now
    self.frames = frames ?? sink
    self.sink = sink
    state = Mutex(State(started: now()))
  }

  /// Takes in what happened, and shows it when it is time to.
  func handle(_ event: JobEvent) {
    let now = now()
    state.withLock { state in
      guard !state.isFinished, let change = state.progress.take(event, at: now) else { return }
      switch change {
      case .step(let text): show(step: text, at: now, in: &state)
      case .sample: showSample(at: now, in: &state)
      case .trouble(let text): write(line: "trouble: \(text)", in: &state)
      case .note(let text): write(line: text, in: &state)
      }
    }
  }

  /// A step of our own that no event reports, such as `uploading the agent`.
  func step(_ text: String) { handle(.phase(Phase(text: text))) }

  /// A line that stays, of something that is no step of the job: the connection is lost, it is back.
  func remark(_ text: String) {
    state.withLock { state in
      guard !state.isFinished else { return }
      write(line: TerminalText.clean(text), in: &state)
    }
  }

  /// Draws again, so that the time goes on while nothing happens. To be called about twice a second.
  func tick() {
    let now = now()
    state.withLock { state in
      guard !state.isFinished else { return }
      draw(at: now, in: &state)
    }
  }

  /// Clears the line that is redrawn and writes a last one, which stays. Nothing is shown afterwards.
  func finish(_ text: String) {
    state.withLock { state in
      guard !state.isFinished else { return }
      write(line: TerminalText.clean(text), in: &state)
      state.isFinished = true
    }
  }

  /// Clears the line that is redrawn and ends, for a command that has its answer.
  func clear() {
    state.withLock { state in
      if state.isDrawn { sink(Self.eraseLine) }
      state.isFinished = true
    }
  }

  /// Clears the line that is redrawn, so that words of somebody else find an empty one; what comes later is shown again.
  func makeRoom() {
    state.withLock { state in
      if state.isDrawn { sink(Self.eraseLine) }
      state.isDrawn = false
    }
  }

  /// The line as it stands now, without any control character.
  func draw() -> String {
    let now = now()
    let width = if case .redrawn(let width) = mode { width } else { 80 }
    return state.withLock { $0.progress.line(elapsed: now - $0.started, width: width) }
  }

  private func show(step text: String, at now: Double, in state: inout State) {
    state.lastPlain = now
    if mode == .plain { return write(line: text, in: &state) }
    draw(at: now, in: &state)
  }

  private func showSample(at now: Double, in state: inout State) {
    switch mode {
    case .quiet: return
    case .redrawn:
      guard now - state.lastDrawn >= Self.drawInterval else { return }
      draw(at: now, in: &state)
    case .plain:
      guard now - state.lastPlain >= Self.plainInterval else { return }
      state.lastPlain = now
      write(line: "\(state.progress.text)  \(Numbers.elapsed(now - state.started))", in: &state)
    }
  }

  /// Clears the line and writes it again, in one go.
  private func draw(at now: Double, in state: inout State) {
    guard case .redrawn(let width) = mode else { return }
    state.lastDrawn = now
    state.isDrawn = true
    frames(Self.eraseLine + state.progress.line(elapsed: now - state.started, width: width - 1))
  }

  /// A line that stays; a drawn one makes room for it.
  private func write(line: String, in state: inout State) {
    guard mode != .quiet else { return }
    sink((state.isDrawn ? Self.eraseLine : "") + line + "\n")
    state.isDrawn = false
  }

  static func monotonicSeconds() -> Double {
    let time = ContinuousClock.now - Self.origin
    return Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
  }

  private static let origin = ContinuousClock.now
}
