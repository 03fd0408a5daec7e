import FoundationEssentials
import Shared

/// The stand-in for codeflash's service while runs are made: `replay_service.py` in a private network, or on the real
/// loopback where that is not permitted.
final class ReplayService {
  /// Fixed in codeflash's client.
  private static let ports = Ports(ai: 8000, cf: 3001)
  private static let startLimit = 20.0

  private struct Ports: Encodable {
    var ai: Int
    var cf: Int
  }
  private struct Upstream: Encodable {
    var ai: String
    var cf: String
  }
  private struct Order: Encodable {
    var mode: String
    var recordings: String
    var log: String
    var key: String
    var ports: Ports
    var upstream: Upstream?
    var upstreamKey: String?
    var kept: String?
  }
  private struct Answer: Decodable {
    var ready: Bool?
    var failure: String?
  }
  /// What the service wrote into a recording, as far as it is read here.
  private struct Kept: Decodable { var function: String }

  /// How the outside is kept out.
  enum Network: String {
    case namespace = "network namespace"
    case proxies = "refused proxies"
    case open = "open"
  }

  let network: Network
  /// The key that codeflash gets: of this run, worth nothing elsewhere. A real one stays with the service.
  let key: String
  private let agent: String
  private let log: String
  private let kept: String?
  private let helper: HelperProcess

  /// Starts it and waits until it listens.
  /// - Parameter folder: where its log lies, and what a live service said.
  init(_ plan: CodeflashRunPlan, project: Project, keepsRecordings: Bool, folder: String, in context: LayerContext)
    throws
  {
    var random = SystemRandomNumberGenerator()
    key = "cf-" + String(random.next(), radix: 36) + String(random.next(), radix: 36)
    agent = context.agent
    log = folder + "/requests.ndjson"
    kept = keepsRecordings ? folder + "/recordings" : nil
    if let kept { try FileManager.default.makeFresh(kept) }
    let script = try EmbeddedScript.replayService.write(into: folder)
    try Data().write(to: URL(filePath: log))
    let live = plan.answers == .live
    let upstreamKey = context.secrets[Secrets.codeflashKey]
    if live, upstreamKey == nil {
      throw Problem(
        what: "there is no key for codeflash's live service",
        why:
          "neither the benchmark host's environment nor the controller's has a \(Secrets.codeflashKey) that can be sent",
        fix:
          "export \(Secrets.codeflashKey)=… before cf-bench, or play recorded answers: --set optimize.answers=replay",
        exitStatus: .usage)
    }
    network = live ? .open : PrivateNetwork.isPermitted(agent: agent) ? .namespace : .proxies
    guard let interpreter = context.sides.first?.interpreter else {
      preconditionFailure("a layer has at least one side")
    }
    var words = [interpreter, "-I", "-S", script]
    if network == .namespace { words = PrivateNetwork.words(words, agent: agent) }
    // The real service is reached straight, with the certificates of the benchmark host's login.
    let environment = live ? context.environment : ["PATH": "/usr/bin:/bin"]
    let order = Order(
      mode: plan.answers.rawValue, recordings: project.recordings, log: log, key: key, ports: Self.ports,
      upstream: live ? Upstream(ai: plan.liveAddress, cf: plan.liveAddress) : nil,
      upstreamKey: live ? upstreamKey : nil, kept: kept)
    helper = try HelperProcess(
      ChildProcess(words: words, environment: environment, directory: folder, limitSeconds: Self.startLimit),
      input: Array(try JSONEncoder().encode(order)) + [UInt8(ascii: "\n")])
    try waitUntilReady()
  }

  private func waitUntilReady() throws {
    let line = helper.line(within: Self.startLimit)
    let answer = line.flatMap { try? JSONDecoder().decode(Answer.self, from: Data($0)) }  // no answer: explained below
    guard answer?.ready != true else { return }
    let reason = answer?.failure ?? helper.outputTail
    let isTaken = reason.contains("Address already in use")
    throw Problem(
      what: "the stand-in for codeflash's service did not come up",
      why: isTaken
        ? "another program holds port \(Self.ports.ai) or \(Self.ports.cf) of the benchmark host, which are fixed in codeflash"
        : reason.isEmpty ? "it said nothing for \(Int(Self.startLimit)) s" : reason,
      fix: isTaken
        ? "end that program (ss -ltnp shows it), or permit user namespaces there so that each run has its own network"
        : "check the recordings of the project, and the benchmark host's load", exitStatus: .partial)
  }

  var isRunning: Bool { helper.isRunning }

  /// The words that start a program where this service is, and nothing else but it where the machine permits that.
  func words(_ program: [String]) -> [String] {
    network == .namespace ? PrivateNetwork.words(program, joining: helper.pid, agent: agent) : program
  }

  /// What codeflash's environment needs to find the service, and not to find the outside.
  var environment: [String: String] {
    refusedProxies.merging([
      "CODEFLASH_AIS_SERVER": "local", "CODEFLASH_CFAPI_SERVER": "local", "CODEFLASH_API_KEY": key,
    ]) { $1 }
  }

  var refusedProxies: [String: String] {
    let nowhere = "http://127.0.0.1:9"  // the discard port: nothing listens there
    return [
      "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "ALL_PROXY": nowhere, "http_proxy": nowhere,
      "https_proxy": nowhere,
      "all_proxy": nowhere, "NO_PROXY": "localhost,127.0.0.1", "no_proxy": "localhost,127.0.0.1",
    ]
  }

  func takeLog() -> RequestLog { RequestLog.take(from: log) }

  /// Ends it, and hands over what a live service said.
  func finish() throws -> [Recording] {
    let last = helper.finish(within: 30)
    guard let kept else { return [] }
    guard let last, String(decoding: last, as: UTF8.self).contains("\"done\"") else {
      throw Problem(
        what: "what the live service said could not be kept", why: helper.outputTail,
        fix: "see whether the benchmark host has room on its disk, and record again", exitStatus: .partial)
    }
    return try FileManager.default.contentsOfDirectory(atPath: kept).filter { $0.hasSuffix(".json") }.sorted().map {
      let content = try Data(contentsOf: URL(filePath: "\(kept)/\($0)"))
      let named = try JSONDecoder().decode(Kept.self, from: content)
      return Recording(function: named.function, content: String(decoding: content, as: UTF8.self))
    }
  }
}
