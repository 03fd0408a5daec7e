import FoundationEssentials
import Shared
import Synchronization
import Testing

@testable import Azure

@Suite("doctor: what its checks reckon with")
struct DoctorTests {
  @Test(
    "an action is allowed by a pattern, whatever its case, unless it is taken away beside it",
    arguments: [
      (["*"], [], true), (["*/read"], [], false), (["Microsoft.Compute/*"], [], true),
      (["microsoft.compute/virtualmachines/*/ACTION"], [], true),
      (["Microsoft.Compute/virtualMachines/start"], [], false),
      (["Microsoft.Compute/virtualMachines/start/action"], [], true), (["*"], ["Microsoft.Compute/*/action"], false),
      (["*"], ["*/delete"], true), ([], [], false), (["Microsoft.Compute/*start*/read"], [], false),
      (["Microsoft.Compute/virtualMachines/start/action*start/action"], [], false),
    ] as [([String], [String], Bool)])
  func permissions(actions: [String], notActions: [String], isAllowed: Bool) {
    let one = Permissions([.init(actions: actions, notActions: notActions)])
    #expect(one.allows("Microsoft.Compute/virtualMachines/start/action") == isAllowed)
  }

  @Test("what one assignment takes away, another may still give")
  func severalPermissions() {
    let both = Permissions([.init(actions: ["*"], notActions: ["*/delete"]), .init(actions: ["a/delete"])])
    #expect(both.allows("a/delete") && !both.allows("b/delete"))
  }

  @Test(
    "a size's name tells its cores and the limit that counts them",
    arguments: [
      ("Standard_D4s_v5", 4, "standardDSv5Family"), ("Standard_D16as_v5", 16, "standardDASv5Family"),
      ("Standard_F8s_v2", 8, "standardFSv2Family"), ("Standard_D2_v3", 2, "standardDv3Family"),
      ("Standard_B2ms", 2, "standardBSFamily"), ("Standard_E8-4ds_v5", 8, "standardEDSv5Family"),
    ])
  func sizes(name: String, cores: Int, family: String) throws {
    let size = try #require(ComputeSize(name))
    #expect(size.cores == cores && size.family == family)
    #expect(size.isCounted(in: "cores") && size.isCounted(in: family) && !size.isCounted(in: "virtualMachines"))
  }

  @Test("what is no size has no cores", arguments: ["", "D4s_v5", "Standard_", "Standard_Ds_v5"])
  func noSize(name: String) { #expect(ComputeSize(name) == nil) }

  @Test("a server's date is read to the second; anything else is none")
  func dates() {
    #expect(HTTPDate(" Mon, 23 Nov 2026 21:10:05 GMT").map { TagMoment.text($0.date) } == "2026-11-23T21:10:05Z")
    #expect(HTTPDate("Thu, 01 Jan 1970 00:00:09 GMT").map { TagMoment.text($0.date) } == "1970-01-01T00:00:09Z")
    for text in ["", "2026-11-23T21:10:05Z", "Mon, 23 Foo 2026 21:10:05 GMT", "Mon, 99 Nov 2026 21:10:05 GMT"] {
      #expect(HTTPDate(text[...]) == nil, "\(text)")
    }
  }

  @Test("the subject is read from a token as GitHub makes it, without padding")
  func subject() {
    let payload = #"{"sub":"repo:a/b:environment:über?>","aud":"x"}"#
    let encoded = Data(payload.utf8).base64EncodedString().replacing("=", with: "").replacing("+", with: "-")
      .replacing("/", with: "_")
    #expect(GitHubSubject.subject(ofToken: "e30.\(encoded).sig") == "repo:a/b:environment:über?>")
    #expect(GitHubSubject.subject(ofToken: "e30.e30.sig") == nil)
    #expect(GitHubSubject.subject(ofToken: "nothing") == nil)
  }

  @Test("without a token the documented subjects of this job are said")
  func documentedSubject() {
    let push = GitHubSubject(environment: [
      "GITHUB_REPOSITORY": "a/b", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/x",
    ])
    #expect(push.words.hasPrefix("repo:a/b:ref:refs/heads/x (repo:a/b:environment:NAME"))
    let pull = GitHubSubject(environment: ["GITHUB_REPOSITORY": "a/b", "GITHUB_EVENT_NAME": "pull_request"])
    #expect(pull.words.hasPrefix("repo:a/b:pull_request ("))
  }
}

@Suite("doctor: one that fails stops only those that need it")
struct DoctorOrderTests {
  private func facts() -> AzureFacts {
    AzureFacts(client: AzureClient(settings: AzureSettings(), environment: [:]))
  }

  @Test("what needs a failed or a skipped one is skipped and named; a warning is ground enough")
  func skips() async {
    let checks = [
      AzureCheck("bad") { _ in throw LimitPassed(waitedFor: "it", limit: .seconds(1)) },
      AzureCheck("doubtful") { _ in .warning("so so", fix: "mend") },
      AzureCheck("after-bad", needs: ["bad"]) { _ in .ok("never") },
      AzureCheck("after-both", needs: ["doubtful", "after-bad"]) { _ in .ok("never") },
      AzureCheck("after-doubtful", needs: ["doubtful"]) { _ in .ok("fine") }, AzureCheck("alone") { _ in .ok("fine") },
    ]
    let answers = await AzureDoctor(checks: checks, facts: facts()).examine()
    #expect(answers.map(\.id) == checks.map(\.id))
    #expect(answers.map(\.status) == [.failed, .warning, .skipped, .skipped, .ok, .ok])
    #expect(answers[2].detail == "not checked: needs bad")
    #expect(answers[3].detail == "not checked: needs after-bad")
    #expect(answers[0].fix?.isEmpty == false)
  }

  @Test("several are made at once, never more than three, and none before those it needs")
  func order() async {
    struct Seen { var now = 0, most = 0, done: [String] = [] }
    let seen = Mutex(Seen())
    func check(_ id: String, needs: [String] = []) -> AzureCheck {
      AzureCheck(id, needs: needs) { _ in
        let early = seen.withLock { seen in
          seen.now += 1
          seen.most = max(seen.most, seen.now)
          return needs.filter { !seen.done.contains($0) }
        }
        // Long enough for others to begin; nothing is measured by it.
        for _ in 0..<1000 { await Task.yield() }
        seen.withLock { seen in
          seen.now -= 1
          seen.done.append(id)
        }
        return early.isEmpty ? .ok("") : .failed("before \(early)", fix: "")
      }
    }
    let ids = (0..<6).map { "c\($0)" }
    let checks = ids.map { check($0) } + [check("last", needs: ids)]
    let answers = await AzureDoctor(checks: checks, facts: facts()).examine()
    #expect(answers.allSatisfy { $0.status == .ok })
    #expect(seen.withLock(\.most) <= 3)
  }
}
