/// What the harness sets for the target on one side, as the target itself shows it there: that a variable was set proves nothing.
///
/// Both sides do equal work only where these values are the same. What stands here: `docs/equal-work.md`.
public struct EffectiveSettings: Codable, Equatable, Sendable {
  public var side: Side
  public var python: String
  public var settings: [Setting]

  public init(side: Side, python: String, settings: [Setting]) {
    self.side = side
    self.python = python
    self.settings = settings
  }

  public struct Setting: Codable, Equatable, Sendable {
    public var name: Name
    /// What is in force, in words or a number with its unit; `nil` where the target does not show it.
    public var value: String?
    /// By what it was seen, or why it could not be.
    public var evidence: String
    /// What was done beyond setting it, or why the target's own default was left; `nil` for neither.
    public var remark: String?

    public init(name: Name, value: String?, evidence: String, remark: String? = nil) {
      self.name = name
      self.value = value
      self.evidence = evidence
      self.remark = remark
    }
  }

  /// Each thing that is set, and what it touches.
  public enum Name: String, Codable, CaseIterable, Sendable {
    /// `PYTHONHASHSEED`: the order of sets.
    case hashSeed
    /// `HOME` and `TMPDIR`: where caches and settings are looked for.
    case home
    /// `LANG`, `LC_ALL`, `PYTHONIOENCODING`.
    case encoding
    /// `PYTHONMALLOC` and `MALLOC_*` are not set: Python's own allocator.
    case allocator
    /// `CODEFLASH_LOOPING_TIME`: for how long codeflash times one candidate.
    case loopingTime
    /// `CODEFLASH_AIS_SERVER`, `CODEFLASH_CFAPI_SERVER`: whom codeflash asks.
    case servers
    /// `disable-telemetry` of the project: whether codeflash reports about itself.
    case telemetry

    /// Whether it is about codeflash's runs alone; the others touch every program that is measured.
    public var isOfCodeflash: Bool {
      switch self {
      case .hashSeed, .home, .encoding, .allocator: false
      case .loopingTime, .servers, .telemetry: true
      }
    }

    /// As people read it.
    public var words: String {
      switch self {
      case .hashSeed: "hash seed"
      case .home: "home and temporary folder"
      case .encoding: "encoding"
      case .allocator: "memory allocator"
      case .loopingTime: "looping time"
      case .servers: "codeflash's service"
      case .telemetry: "telemetry"
      }
    }
  }
}
