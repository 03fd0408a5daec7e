import FoundationEssentials
import Shared

/// One thing that `doctor` looks at.
public struct AzureCheck: Sendable {
  /// What a look came to; the id belongs to the check.
  public struct Finding: Sendable, Equatable {
    public var status: DoctorCheck.Status
    public var detail: String
    public var fix: String?

    public static func ok(_ detail: String) -> Finding { Finding(status: .ok, detail: detail) }
    public static func warning(_ detail: String, fix: String) -> Finding {
      Finding(status: .warning, detail: detail, fix: fix)
    }
    public static func failed(_ detail: String, fix: String) -> Finding {
      Finding(status: .failed, detail: detail, fix: fix)
    }
    /// Nobody could look: says nothing for or against.
    public static func skipped(_ detail: String, fix: String? = nil) -> Finding {
      Finding(status: .skipped, detail: detail, fix: fix)
    }
  }

  public var id: String
  /// Ids of the checks that must not have failed before this one can be made.
  public var needs: [String]
  public var examine: @Sendable (AzureFacts) async throws -> Finding

  public init(
    _ id: String, needs: [String] = [], _ examine: @escaping @Sendable (AzureFacts) async throws -> Finding
  ) {
    self.id = id
    self.needs = needs
    self.examine = examine
  }
}

extension AzureCheck {
  /// What can be seen of Azure from here, in the order in which a person would mend it.
  /// - Parameter isWorkflow: inside a job of GitHub's.
  public static func chain(isWorkflow: Bool) -> [AzureCheck] {
    [az, curl] + (isWorkflow ? [subject] : []) + [
      signIn, subscription, role, vm, quota, identity, lease, rules, address,
    ]
  }

  /// What concerns this machine and the last net.
  public static let surroundings = [intents, clock, autoShutdown]
}

extension DoctorCheck {
  public init(id: String, _ finding: AzureCheck.Finding) {
    self.init(id: id, status: finding.status, detail: finding.detail, fix: finding.fix)
  }

  /// A check that could not be carried through.
  public init(id: String, failure: any Error) {
    guard let error = failure as? any UserFacingError else {
      self.init(id: id, status: .failed, detail: "\(failure)", fix: "try again; look at it by hand if it stays")
      return
    }
    self.init(
      id: id, status: .failed, detail: error.what + (error.why.map { ": \($0)" } ?? ""), fix: error.fix)
  }
}

/// Makes checks, several at once, each as soon as what it needs is there. One that fails stops only those that need it.
public struct AzureDoctor: Sendable {
  /// Each after those that it needs.
  public var checks: [AzureCheck]
  public var facts: AzureFacts
  /// Each is mostly one `az`, which keeps a core busy for most of a second.
  private static let atOnce = 3

  public init(checks: [AzureCheck], facts: AzureFacts) {
    self.checks = checks
    self.facts = facts
  }

  /// - Returns: one answer for each check, in their order.
  public func examine() async -> [DoctorCheck] {
    var answers: [String: DoctorCheck] = [:]
    await withTaskGroup(of: DoctorCheck.self) { group in
      var (waiting, running) = (checks, 0)
      while true {
        skip(&waiting, &answers)
        while running < Self.atOnce,
          let index = waiting.firstIndex(where: { $0.needs.allSatisfy { answers[$0] != nil } })
        {
          let check = waiting.remove(at: index)
          group.addTask { [facts] in await Self.answer(check, facts) }
          running += 1
        }
        guard let answer = await group.next() else { return }
        answers[answer.id] = answer
        running -= 1
      }
    }
    return checks.compactMap { answers[$0.id] }
  }

  /// Answers those that can't be made.
  private func skip(_ waiting: inout [AzureCheck], _ answers: inout [String: DoctorCheck]) {
    for check in waiting {
      guard let missing = check.needs.first(where: { answers[$0]?.isNoGround == true }) else { continue }
      answers[check.id] = DoctorCheck(id: check.id, .skipped("not checked: needs \(missing)"))
    }
    waiting.removeAll { answers[$0.id] != nil }
  }

  private static func answer(_ check: AzureCheck, _ facts: AzureFacts) async -> DoctorCheck {
    do { return DoctorCheck(id: check.id, try await check.examine(facts)) } catch {
      return DoctorCheck(id: check.id, failure: error)
    }
  }
}

extension DoctorCheck {
  /// Whether others that need it can't be made.
  fileprivate var isNoGround: Bool { status == .failed || status == .skipped }
}
