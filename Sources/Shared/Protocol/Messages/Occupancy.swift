/// Whose jobs have a host, or wait for it: what a controller asks before it stops a machine that is not its alone.
public struct Occupancy: Codable, Equatable, Sendable {
  public var jobs: [Entry]
  public init(jobs: [Entry]) { self.jobs = jobs }

  public struct Entry: Codable, Equatable, Sendable {
    public enum State: String, Codable, Sendable {
      /// Has the machine to itself.
      case measuring
      /// Its runner waits for the machine, or prepares.
      case waiting
    }
    public var job: JobID
    /// Who submitted it.
    public var owner: String
    public var state: State
    public init(job: JobID, owner: String, state: State) {
      self.job = job
      self.owner = owner
      self.state = state
    }
  }
}
