import FoundationEssentials
import Shared

/// What a command is about to do to a VM, on this disk before it does it: whatever kills the command, the next one finishes it.
public struct Intent: Codable, Sendable, Equatable {
  public enum Phase: String, Codable, Sendable, Comparable {
    /// Nothing has been asked of Azure.
    case planned
    /// The lease may be written.
    case leasing
    /// The start may have been asked for, and the network rule may be open.
    case starting
    /// The VM answers.
    case on
    /// It is being given back.
    case stopping

    private var rank: Int { [.planned, .leasing, .starting, .on, .stopping].firstIndex(of: self) ?? 0 }
    public static func < (left: Phase, right: Phase) -> Bool { left.rank < right.rank }
  }

  public var schema = 1
  public var run: String
  public var owner: String
  public var subscription: String?
  public var group: String
  public var vm: String
  public var phase: Phase
  /// RFC 3339.
  public var since: String
  /// When the start was asked for, RFC 3339; what is billed begins here.
  public var startedAt: String?
  /// The VM is known to be off or others' matter, and only its rule or tags are still to be removed.
  public var isOff: Bool?
  /// What Azure said of the VM before the lease; `nil` before that.
  public var resource: Resource?

  public struct Resource: Codable, Sendable, Equatable {
    /// Its id in Azure.
    public var id: String
    public var size: String?
    public var location: String
  }

  public init(run: String, owner: String, vm: AzureVM, at now: Date = .now) {
    self.run = run
    self.owner = owner
    subscription = vm.subscription
    group = vm.group
    self.vm = vm.name
    phase = .planned
    since = Timestamp.rfc3339(now)
  }

  /// How far it is: `on`, `stopping`.
  public var words: String { isOff == true ? "given back, not yet tidied up" : phase.rawValue }

  public var machine: AzureVM { AzureVM(subscription: subscription, group: group, name: vm) }
}

/// An intent on the disk. Its lock is held for as long as the command lives, and let go by the kernel when it dies.
public final class OpenIntent {
  public private(set) var intent: Intent
  private let file: String
  private let lockFile: String
  private let lock: FileLock
  private let state: StateFolder

  private init(_ intent: Intent, file: String, lockFile: String, lock: FileLock, state: StateFolder) {
    self.intent = intent
    self.file = file
    self.lockFile = lockFile
    self.lock = lock
    self.state = state
  }

  static func create(_ intent: Intent, in state: StateFolder) throws -> OpenIntent {
    try state.make(state.intents)
    let base = "\(state.intents)/\(intent.run)"
    guard let lock = FileLock(path: base + ".lock", create: true, mode: 0o600), lock.tryLock() else {
      throw StateFolder.failure(base + ".lock", "it can't be locked")
    }
    let open = OpenIntent(intent, file: base + ".json", lockFile: base + ".lock", lock: lock, state: state)
    try open.save()
    return open
  }

  /// Remembers which VM it is, so that giving it back needs no question first.
  func enter(_ phase: Intent.Phase, _ view: VMView) throws {
    intent.resource = Intent.Resource(id: view.id, size: view.size, location: view.location)
    try enter(phase)
  }

  func enter(_ phase: Intent.Phase, at now: Date = .now) throws {
    intent.phase = phase
    if phase == .starting, intent.startedAt == nil { intent.startedAt = Timestamp.rfc3339(now) }
    try save()
  }

  /// What is left of the VM costs nothing.
  func noteOff() throws {
    intent.isOff = true
    try save()
  }

  /// Leaves what is not carried out to the next command.
  func letGo() { lock.unlock() }

  private func save() throws {
    try state.write(String(decoding: try JSONEncoder.pretty.encode(intent), as: UTF8.self) + "\n", to: file)
  }

  /// The intent is carried out: forgets it.
  func clear() throws {
    do { try DurableFile.remove(file) } catch { throw StateFolder.failure(file, error.why ?? "") }
    _ = try? FileManager.default.removeItem(atPath: lockFile)  // an empty file says nothing by itself
  }

  /// Intents whose command is gone, now held by this one. Files that can't be read are left for a person and named.
  static func abandoned(in state: StateFolder, unreadable: (String) -> Void = { _ in }) -> [OpenIntent] {
    files(in: state).compactMap { file in
      let lockFile = file.dropLast(".json".count) + ".lock"
      guard let lock = FileLock(path: String(lockFile), create: true, mode: 0o600), lock.tryLock() else { return nil }
      // Read under the lock: its command may have ended well just now.
      guard let data = FileManager.default.contents(atPath: file) else {
        _ = try? FileManager.default.removeItem(atPath: String(lockFile))  // as in clear()
        return nil
      }
      guard let intent = try? JSONDecoder().decode(Intent.self, from: data) else {
        unreadable(file)
        return nil
      }
      return OpenIntent(intent, file: file, lockFile: String(lockFile), lock: lock, state: state)
    }
  }

  /// All intents here, of living commands too.
  public static func all(in state: StateFolder) -> [Intent] {
    files(in: state).compactMap { file in
      FileManager.default.contents(atPath: file).flatMap { try? JSONDecoder().decode(Intent.self, from: $0) }
    }
  }

  private static func files(in state: StateFolder) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: state.intents)) ?? []  // no folder: no intents
    return names.filter { $0.hasSuffix(".json") }.sorted().map { "\(state.intents)/\($0)" }
  }
}
