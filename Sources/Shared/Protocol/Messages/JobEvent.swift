import FoundationEssentials

/// What happened in a job: the journal's vocabulary. Schema: `docs/schemas/event.schema.json`.
///
/// An event that this program does not know, or can't decode, stays in the journal as it is and is passed over here.
public enum JobEvent: Equatable, Sendable {
  case started(Started)
  /// A runner took the job over from one that died.
  case resumed(Resumed)
  /// What of an interpreter's measurements before the death is kept.
  case continued(Continued)
  case queued(Queued)
  /// A step a person would like to see: for the progress line.
  case phase(Phase)
  case host(HostInfo)
  /// One knob of the machine, turned for the job or not.
  case tuned(TuningReport)
  case sideReady(SideReady)
  /// What of the harness's settings is in force on a side; a later one of the same side adds to it.
  case effectiveSettings(EffectiveSettings)
  case layerStarted(LayerStarted)
  case sample(Sample)
  case importTree(ImportTree)
  case skipped(Skipped)
  case profile(FunctionProfile)
  case stacks(StackProfile)
  case optimizeRun(OptimizeRun)
  case profiledPhases(ProfiledPhases)
  case memoryTimeline(MemoryTimeline)
  case memoryProfile(MemoryProfile)
  case recording(Recording)
  case blockFinished(BlockFinished)
  case layerFinished(LayerFinished)
  /// Something went wrong and the job goes on without that part.
  case trouble(Trouble)
  case finished(Finished)
  /// Of another release.
  /// - Parameter why: What is wrong with the body of a kind that is known; `nil` for an unknown kind.
  case unknown(type: String, why: String? = nil)

  private enum Kind: String {
    case started, resumed, continued, queued, phase, host, tuned, sideReady, effectiveSettings, layerStarted, sample,
      importTree, skipped,
      profile, stacks,
      optimizeRun
    case profiledPhases, memoryTimeline, memoryProfile, recording, blockFinished, layerFinished, trouble, finished
  }

  func withBody(number: Int, time: String) throws(WireError) -> [UInt8] {
    func line(_ kind: Kind, _ body: some Encodable) throws(WireError) -> [UInt8] {
      try WireLine.event(number: number, type: kind.rawValue, time: time, body: body)
    }
    return switch self {
    case .started(let body): try line(.started, body)
    case .resumed(let body): try line(.resumed, body)
    case .continued(let body): try line(.continued, body)
    case .queued(let body): try line(.queued, body)
    case .phase(let body): try line(.phase, body)
    case .host(let body): try line(.host, body)
    case .tuned(let body): try line(.tuned, body)
    case .sideReady(let body): try line(.sideReady, body)
    case .effectiveSettings(let body): try line(.effectiveSettings, body)
    case .layerStarted(let body): try line(.layerStarted, body)
    case .sample(let body): try line(.sample, body)
    case .importTree(let body): try line(.importTree, body)
    case .skipped(let body): try line(.skipped, body)
    case .profile(let body): try line(.profile, body)
    case .stacks(let body): try line(.stacks, body)
    case .optimizeRun(let body): try line(.optimizeRun, body)
    case .profiledPhases(let body): try line(.profiledPhases, body)
    case .memoryTimeline(let body): try line(.memoryTimeline, body)
    case .memoryProfile(let body): try line(.memoryProfile, body)
    case .recording(let body): try line(.recording, body)
    case .blockFinished(let body): try line(.blockFinished, body)
    case .layerFinished(let body): try line(.layerFinished, body)
    case .trouble(let body): try line(.trouble, body)
    case .finished(let body): try line(.finished, body)
    case .unknown(let type, _): throw .unencodable(type: type, detail: "an unknown event can't be written")
    }
  }

  init(type: String, data: Data) {
    do { self = try Self.decode(type: type, data: data) } catch {
      self = .unknown(type: type, why: DecodingErrorText.describe(error))
    }
  }

  private static func decode(type: String, data: Data) throws -> JobEvent {
    let decoder = JSONDecoder()
    func body<Content: Decodable>(_: Content.Type) throws -> Content {
      try decoder.decode(Body<Content>.self, from: data).body
    }
    return
      switch Kind(rawValue: type)
    {
    case .started: .started(try body(Started.self))
    case .resumed: .resumed(try body(Resumed.self))
    case .continued: .continued(try body(Continued.self))
    case .queued: .queued(try body(Queued.self))
    case .phase: .phase(try body(Phase.self))
    case .host: .host(try body(HostInfo.self))
    case .tuned: .tuned(try body(TuningReport.self))
    case .sideReady: .sideReady(try body(SideReady.self))
    case .effectiveSettings: .effectiveSettings(try body(EffectiveSettings.self))
    case .layerStarted: .layerStarted(try body(LayerStarted.self))
    case .sample: .sample(try body(Sample.self))
    case .importTree: .importTree(try body(ImportTree.self))
    case .skipped: .skipped(try body(Skipped.self))
    case .profile: .profile(try body(FunctionProfile.self))
    case .stacks: .stacks(try body(StackProfile.self))
    case .optimizeRun: .optimizeRun(try body(OptimizeRun.self))
    case .profiledPhases: .profiledPhases(try body(ProfiledPhases.self))
    case .memoryTimeline: .memoryTimeline(try body(MemoryTimeline.self))
    case .memoryProfile: .memoryProfile(try body(MemoryProfile.self))
    case .recording: .recording(try body(Recording.self))
    case .blockFinished: .blockFinished(try body(BlockFinished.self))
    case .layerFinished: .layerFinished(try body(LayerFinished.self))
    case .trouble: .trouble(try body(Trouble.self))
    case .finished: .finished(try body(Finished.self))
    case nil: .unknown(type: type)
    }
  }
}
