import Glibc
import Shared

/// `cf-bench-agent serve`: one conversation over standard input and output. Its loop sleeps in `poll` until a request comes, a
/// journal grows, or the reader has room again; requests that may have to wait are done beside it.
final class Server {
  private let requests: RequestHandler
  private let out = OutputBuffer(descriptor: 1)
  private let watch: InotifyWatcher
  private let bell: WakePipe
  /// What concerns jobs, in the order in which it was asked.
  private let jobs: RequestLane
  /// Looks at this machine, which wait for programs of others.
  private let checks: RequestLane
  private let intake: UploadReceiver
  private var framer = LineFramer()
  private var followers: [JobID: JournalFollower] = [:]
  /// More requests may come. Without them, journals are still followed to their end, for as long as somebody reads.
  private var isOpen = true

  private let pauses: Pauses

  /// - Parameter isNew: this agent was installed just now, and is to be the one that the stable name leads to.
  init(home: AgentHome, environment: [String: String], isNew: Bool = false) throws {
    requests = RequestHandler(home: home, environment: environment, isNew: isNew)
    pauses = Pauses(environment)
    watch = try InotifyWatcher()
    bell = try WakePipe()
    (jobs, checks) = (RequestLane(bell), RequestLane(bell))
    intake = UploadReceiver(home: home)
  }

  /// For how long what was asked is still done once nobody is there to hear of it, in seconds.
  private static let lastWait = 30.0

  func run() -> ExitStatus {
    signal(SIGPIPE, SIG_IGN)
    defer { settle() }
    _ = fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK)
    while isOpen || !followers.isEmpty || !isIdle, !out.isBroken {
      var polled = [
        pollfd(fd: mayRead ? 0 : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: 1, events: out.isEmpty ? 0 : Int16(POLLOUT), revents: 0),
        pollfd(fd: followers.isEmpty ? -1 : watch.descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      let count = poll(&polled, nfds_t(polled.count), timeout)
      if count < 0, errno != EINTR { return .infrastructure }
      for job in requests.tend() {
        jobs.add { [requests] in
          requests.end(job)
          return { _ in }
        }
      }
      // Reported without being asked for: the reader closed its end, which a dropped connection comes to.
      if polled[1].revents & Int16(POLLERR | POLLHUP) != 0 { return .done }
      if polled[0].revents != 0 { readRequests() }
      if polled[1].revents != 0 { out.flush() }
      if polled[2].revents != 0 { watch.drain() }
      if polled[3].revents != 0 { bell.drain() }
      finish(jobs.takeDone() + checks.takeDone())
      moveEvents()
    }
    out.flushFinally(withinSeconds: 5)
    return .done
  }

  private var timeout: Int32 {
    if let soon = requests.nextDeadlineMilliseconds { return soon }
    return followers.isEmpty ? -1 : Int32(pauses.followLook * 1000) + 1
  }

  /// Waits for the requests that are still being done: a cancel counts although its asker hung up.
  private func settle() {
    let deadline = MonotonicClock.seconds + Self.lastWait
    while !isIdle, MonotonicClock.seconds < deadline {
      var polled = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
      poll(&polled, 1, 1000)
      bell.drain()
      _ = jobs.takeDone() + checks.takeDone()
    }
  }

  private var mayRead: Bool { isOpen && !out.isFull && !jobs.isFull && !checks.isFull }

  private var isIdle: Bool { jobs.isIdle && checks.isIdle }

  private func readRequests() {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let count = read(0, &chunk, chunk.count)
    if count < 0, errno == EINTR || errno == EAGAIN { return }
    guard count > 0 else {
      isOpen = false
      do { try intake.end() } catch { refuse("receive", error) }
      return
    }
    var lines: [[UInt8]] = []
    do { lines = try framer.lines(of: Array(chunk[..<count])) } catch {
      refuse("line", error)
      isOpen = false  // after a line without an end nothing that follows can be trusted
    }
    for (index, line) in lines.enumerated() {
      take(line, isLast: index == lines.count - 1 && framer.unfinished == 0)
    }
  }

  private func take(_ line: [UInt8], isLast: Bool) {
    do { try take(try AgentRequest(line: line), isLast: isLast) } catch { refuse("request", error) }
  }

  private func take(_ request: AgentRequest, isLast: Bool) throws {
    switch request {
    case .hello, .uploads, .ping, .unknown: try send(try requests.answer(request))
    case .receive(let request): if let received = try intake.begin(request) { try send(.received(received)) }
    case .piece(let piece): if let received = try intake.take(piece) { try send(.received(received)) }
    case .doctor:
      checks.add { [requests] in
        let answer = try requests.answer(request)
        return { try $0.send(answer) }
      }
    case .submit, .cancel, .occupancy, .jobs, .mayStop:
      jobs.add { [requests] in
        let answer = try requests.answer(request)
        return { try $0.send(answer) }
      }
    case .attach(let attach):
      jobs.add { [requests, watch] in
        let (folder, place) = try requests.place(attach, watch: watch)
        return { try $0.follow(folder, from: place, secrets: attach.secrets ?? [:]) }
      }
    case .upgrade(let upgrade):
      try refuseUpgrade(unless: isLast)
      jobs.add { [requests] in
        let next = try requests.prepare(upgrade)
        return { try $0.become(upgrade.agent, next) }
      }
    }
  }

  private func send(_ message: AgentMessage) throws { out.append(try message.line()) }

  private func refuse(_ request: String, _ error: any Error) { out.append(requests.refusal(of: request, error)) }

  private func finish(_ done: [RequestLane.Finish]) {
    for finish in done {
      do { try finish(self) } catch { refuse("request", error) }
    }
  }

  private func follow(_ folder: JobFolder, from place: JournalFile.Place, secrets: [String: String]) throws {
    let follower = try JournalFollower(folder, from: place) { [unowned self] in
      jobs.add { [requests] in
        let isThere = requests.revive(folder, secrets: secrets)
        return { $0.followers[folder.id]?.revived(isThere) }
      }
    }
    try send(.attached(Attached(job: folder.id, after: place.after)))
    followers[folder.id] = follower
  }

  /// What was read beyond the request can't be handed on, so that it must be the last.
  private func refuseUpgrade(unless isLast: Bool) throws {
    guard !isLast || !followers.isEmpty || intake.isBusy else { return }
    throw Problem(
      what: "the agent can't be changed now",
      why: intake.isBusy
        ? "a file is still coming" : isLast ? "a job is being followed" : "more requests came along",
      fix: "send 'upgrade' alone, and wait for its answer", exitStatus: .infrastructure)
  }

  /// Goes on as another agent.
  private func become(_ agent: UploadID, _ next: AgentUpgrade) throws {
    try refuseUpgrade(unless: framer.unfinished == 0 && isIdle)
    try send(.upgrading(Upgrading(agent: agent)))
    out.flushFinally(withinSeconds: 5)
    guard out.isEmpty else { return isOpen = false }
    refuse("upgrade", next.become(agent))
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
        try send(.ended(ended))
      } catch { refuse("attach", error) }
      followers[job] = nil
    }
  }
}
