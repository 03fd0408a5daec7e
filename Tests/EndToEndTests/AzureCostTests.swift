import Foundation
import Shared
import TestSupport
import Testing

@Suite("A run on the VM leaves it off, what it cost is written down, and a limit on that is kept", .longPrograms)
struct AzureCostTests {
  private func folder(_ testbed: AzureTestbed) throws -> String {
    let results = testbed.testbed.folder + "/results"
    let name = try FileManager.default.contentsOfDirectory(atPath: results).first {
      FileManager.default.fileExists(atPath: "\(results)/\($0)/sides.json")
    }
    return "results/\(try #require(name))"
  }

  @Test(
    "a run starts the VM, measures and stops it, proved off; what it cost stands in its files, the ledger and the VM's month"
  )
  func written() async throws {
    try await AzureTestbed.with(isQuick: false) { testbed in
      let result = try await testbed.bench(["compare", "path:slow", "path:fast", "--layers", "startup"])
      #expect(result.status == 0, "\(result.error)")
      #expect(result.output.contains("Azure VM cf-bench, Standard_D4s_v5 in westus2: "))
      #expect(result.error.contains("starting the VM CF-BENCH-RG/cf-bench (Standard_D4s_v5, westus2)"))
      #expect(result.error.contains("the VM is deallocated"))
      try testbed.expectClean()
      let changes = try testbed.azure.powerChanges().map(\.power)
      #expect(changes.suffix(4) == ["starting", "running", "deallocating", "deallocated"])
      // The lease stood before the start was asked for.
      let asked = try testbed.azure.requests().filter { $0.method != "GET" }.map(\.path)
      let lease = try #require(asked.firstIndex { $0.hasSuffix("/tags/default") })
      let start = try #require(asked.firstIndex { $0.hasSuffix("/start") })
      #expect(lease < start)
      let folder = try folder(testbed)
      let file = "\(testbed.testbed.folder)/\(folder)"
      for (schema, name) in [("cost", "cost.json"), ("comparison", "comparison.json")] {
        #expect(try await SchemaValidator.errors(ofFiles: ["\(file)/\(name)"], schema: schema) == nil)
      }
      let comparison = try JSONDecoder().decode(
        ComparisonDocument.self, from: Data(testbed.testbed.read("\(folder)/comparison.json").utf8))
      let cost = try #require(comparison.cost)
      #expect(cost.usdPerHour == 0.192 && cost.priceSource == "table" && cost.seconds > 1 && !cost.wasOn)
      // The benchmark host's own clock lies within.
      #expect(cost.seconds > comparison.seconds)
      let comment = try testbed.testbed.read("\(folder)/comment.md")
      #expect(comment.contains("Azure VM cf-bench"))
      let again = try await testbed.bench(["report", folder])
      #expect(again.status == 0)
      #expect(try testbed.testbed.read("\(folder)/comment.md") == comment)

      let ledger = try testbed.testbed.read("state/ledger.ndjson").split(separator: "\n")
      #expect(ledger.count == 2 && ledger[0].contains("\"event\":\"started\""))
      #expect(ledger[1].contains("\"event\":\"stopped\"") && ledger[1].contains("\"usdPerHour\":0.192"))
      let month = try #require(try testbed.vm.tags["cf-bench-month"])
      let sum = try #require(month.split(separator: "=").last)
      let counted = try #require(Double(sum))
      #expect(abs(counted - cost.seconds) <= 1, "\(month) and \(cost.seconds)")

      let listed = try await testbed.bench(["cost", "--json"])
      #expect(listed.status == 0, "\(listed.error)")
      #expect(try await SchemaValidator.errors(of: [Data(listed.output.utf8)], schema: "cost-report") == nil)
      #expect(listed.output.contains("\"tagSeconds\" : \(Int(counted))"))
    }
  }

  @Test("a start over azure.monthly-limit is refused with 2 before anything is asked of the VM")
  func refused() async throws {
    try await AzureTestbed.with { testbed in
      try await testbed.setTags(["cf-bench-month": "\(Timestamp.rfc3339().prefix(7))=360000"])  // $19.20
      func changes() throws -> Int {
        try testbed.azure.requests().count { $0.method != "GET" && !$0.path.contains("oauth2") }
      }
      let before = try changes()
      let result = try await testbed.bench(
        ["start", "--for", "30"], extra: ["CF_BENCH_AZURE_MONTHLY_LIMIT": "19.21"])
      #expect(result.status == 2, "\(result.error)")
      #expect(result.error.contains("azure.monthly-limit of $19.21 would be passed"), "\(result.error)")
      #expect(result.error.contains("spent on compute so far: $19.20"))
      #expect(try before > 0 && changes() == before)
      #expect(testbed.intents == [])
      #expect(try testbed.vm.power == "deallocated")
      #expect(!FileManager.default.fileExists(atPath: testbed.testbed.folder + "/state/ledger.ndjson"))
    }
  }
}
