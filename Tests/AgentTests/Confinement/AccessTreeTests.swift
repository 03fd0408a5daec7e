import Testing

@testable import AgentCore

@Suite("Which places a confined job may touch, as rules that only ever add")
struct AccessTreeTests {
  /// What the rules come to for a path: the most that any rule on its way up grants.
  private func access(_ path: String, _ rules: [AccessTree.Rule]) -> AccessTree.Access {
    rules.filter { $0.path == "/" || path == $0.path || path.hasPrefix($0.path + "/") }.map(\.access).max() ?? .none
  }

  private let folders: [String: [String]] = [
    "/": ["etc", "home", "tmp", "usr"], "/home": ["ada"], "/home/ada": [".bashrc", ".cf-bench", ".ssh", "work"],
    "/home/ada/.cf-bench": ["agents", "environments", "jobs"], "/home/ada/.cf-bench/jobs": ["mine", "other"],
    "/home/ada/.cf-bench/jobs/mine": ["journal", "scratch"],
  ]

  private var tree: AccessTree {
    var tree = AccessTree(root: .read)
    for path in ["/tmp", "/home/ada/.cf-bench/environments", "/home/ada/.cf-bench/jobs/mine/scratch"] {
      tree.set(path, .write)
    }
    for path in ["/home/ada/.ssh", "/home/ada/.netrc", "/home/ada/.cf-bench/jobs"] { tree.set(path, .none) }
    tree.set("/home/ada/.cf-bench/jobs/mine", .read)
    return tree
  }

  @Test("the nearest word above a place holds, and what may do less than its folder is kept from it")
  func meaning() {
    let rules = tree.rules { folders[$0] ?? [] }
    let expected: [String: AccessTree.Access] = [
      "/etc": .read, "/usr/bin/env": .read, "/tmp": .write, "/tmp/x": .write, "/home": .none, "/home/ada": .none,
      "/home/ada/.bashrc": .read, "/home/ada/work/a": .read, "/home/ada/.ssh": .none, "/home/ada/.ssh/id": .none,
      "/home/ada/.cf-bench/agents/a": .read, "/home/ada/.cf-bench/environments/e": .write,
      "/home/ada/.cf-bench/jobs": .none, "/home/ada/.cf-bench/jobs/other/manifest.json": .none,
      "/home/ada/.cf-bench/jobs/mine/journal": .read, "/home/ada/.cf-bench/jobs/mine/scratch/x": .write,
    ]
    for (path, wanted) in expected { #expect(access(path, rules) == wanted, "\(path)") }
    #expect(tree["/home/ada/.ssh/id"] == .none && tree["/home/ada/work"] == .read)
  }

  @Test("a place that is not there yet can't be made where less is allowed than around it")
  func later() {
    let rules = tree.rules { folders[$0] ?? [] }
    // No rule covers the folder itself, so nothing can be made in it.
    for path in ["/", "/home", "/home/ada", "/home/ada/.netrc"] {
      #expect(!rules.contains { $0.path == path }, "\(path)")
    }
  }

  @Test("without anything that is forbidden there is one rule a word")
  func simple() {
    var tree = AccessTree(root: .read)
    tree.set("/tmp", .write)
    #expect(
      tree.rules { _ in ["never", "asked"] } == [
        .init(path: "/", access: .read), .init(path: "/tmp", access: .write),
      ])
  }
}
