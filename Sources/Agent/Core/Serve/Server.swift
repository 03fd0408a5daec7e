import Glibc
import Shared

/// `cf-bench-agent serve`: one conversation over standard input and output. One thread, asleep in `poll` until a request
/// comes, a journal grows, or the reader has room again.
final class Server {
  private let desk: RequestHandler
  private let out = OutputBuffer(descriptor: 1)
  private let watch: InotifyWatcher
  private var framer = LineFramer()
  private var followers: [JobID: JournalFollower] = [:]
  /// More requests may come. Without them, journals are still followed to their end, for as long as somebody reads.
  private var isOpen = true

  /// While a job is followed, its runner is looked for this often in case the kernel's word was missed, in milliseconds.
  private static let safetyTick: Int32 = 10_000

  /// - Parameter isNew: this agent was installed just now, and is to be the one that the stable name leads to.
  init(home: AgentHome, environment: [String: String], isNew: Bool = false) throws {
    desk = RequestHandler(home: home, environment: environment, isNew: isNew)
    watch = try InotifyWatcher()
  }

  func run() -> ExitStatus {
    signal(SIGPIPE, SIG_IGN)
    _ = fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK)
    while isOpen || !followers.isEmpty, !out.isBroken {
      var polled = [
        pollfd(fd: out.isFull || !isOpen ? -1 : 0, events: Int16(POLLIN), revents: 0),
        pollfd(fd: 1, events: out.isEmpty ? 0 : Int16(POLLOUT), revents: 0),
        pollfd(fd: followers.isEmpty ? -1 : watch.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      let count = poll(&polled, nfds_t(polled.count), timeout)
      if count < 0, errno != EINTR { return .infrastructure }
      desk.tend()
      // Reported without being asked for: the reader closed its end, which a dropped connection comes to.
      if polled[1].revents & Int16(POLLERR | POLLHUP) != 0 { return .done }
      if polled[0].revents != 0 { readRequests() }
      if polled[1].revents != 0 { out.flush() }
      if polled[2].revents != 0 { watch.drain() }
      moveEvents()
    }
    out.flushFinally(withinSeconds: 5)
    return .done
  }

  private var timeout: Int32 {
    if let soon = desk.nextDeadlineMilliseconds { return soon }
    return followers.isEmpty ? -1 : Self.safetyTick
  }

  private func readRequests() {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let count = read(0, &chunk, chunk.count)
    if count < 0, errno == EINTR || errno == EAGAIN { return }
    guard count > 0 else {
      isOpen = false
      do { try desk.inputEnded() } catch { out.append(desk.refusal(of: "receive", error)) }
      return
    }
    var lines: [[UInt8]] = []
    do { lines = try framer.lines(of: Array(chunk[..<count])) } catch {
      out.append(desk.refusal(of: "line", error))
      isOpen = false  // after a line without an end nothing that follows can be trusted
    }
    for (index, line) in lines.enumerated() {
      take(line, isLast: index == lines.count - 1 && framer.unfinished == 0)
    }
  }

  private func take(_ line: [UInt8], isLast: Bool) {
    do {
      let request = try AgentRequest(line: line)
      if case .upgrade(let upgrade) = request {
        try become(upgrade, isLast: isLast)
      } else if case .attach(let attach) = request {
        let follower = try desk.follower(attach, watch: watch)
        out.append(try AgentMessage.attached(Attached(job: attach.job, after: follower.after)).line())
        followers[attach.job] = follower
      } else if let answer = try desk.answer(request) {
        out.append(try answer.line())
      }
    } catch { out.append(desk.refusal(of: "request", error)) }
  }

  /// Goes on as another agent. What was read beyond the request could not be handed on, so that it must be the last.
  private func become(_ upgrade: UpgradeRequest, isLast: Bool) throws {
    guard isLast, followers.isEmpty else {
      throw Problem(
        what: "the agent can't be changed now",
        why: followers.isEmpty ? "more requests came along" : "a job is being followed",
        fix: "send 'upgrade' alone, and wait for its answer", exitStatus: .infrastructure)
    }
    let next = try desk.prepare(upgrade)
    out.append(try AgentMessage.upgrading(Upgrading(agent: upgrade.agent)).line())
    out.flushFinally(withinSeconds: 5)
    guard out.isEmpty else { return isOpen = false }
    let problem = next.become(upgrade.agent)
    out.append(desk.refusal(of: "upgrade", problem))
    isOpen = false
  }

  /// Moves events until there are no more or the reader has no room: a journal that was left because too much waited is
  /// taken up again as soon as that is gone, since nothing else would wake us for it.
  private func moveEvents() {
    var wasFull: Bool
    repeat {
      pumpFollowers()
      wasFull = out.isFull
      out.flush()
    } while wasFull && !out.isFull && !out.isBroken
  }

  private func pumpFollowers() {
    for (job, follower) in followers where !out.isFull {
      do {
        guard let ended = try follower.pump(into: out) else { continue }
        out.append(try AgentMessage.ended(ended).line())
      } catch { out.append(desk.refusal(of: "attach", error)) }
      followers[job] = nil
    }
  }
}
