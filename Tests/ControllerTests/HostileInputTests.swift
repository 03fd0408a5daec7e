import Foundation
import SSH
import Shared
import SystemPackage
import TestSupport
import Testing

@testable import ControllerCore

@Suite("Hostile refs, names, paths and settings are taken literally or refused with the reason")
struct HostileInputTests {
  private static let canary = "/tmp/cf-bench-canary-\(getpid())"
  private static let all = HostileInput.all(canary: canary)

  @Test("there are more than two hundred")
  func count() { #expect(Self.all.count >= 200) }

  /// A refusal has its reason, its exit status, and nothing in it that a terminal would obey.
  private func check(_ error: any Error, _ text: String, _ door: String) {
    let failure = Failure(error)
    #expect(failure.status == .usage, "\(door): \(text) gave \(failure.status): \(failure.text)")
    #expect(failure.text.contains("error: ") && failure.text.contains("fix: "), "\(door): \(failure.text)")
    #expect(failure.text.split(separator: "\n").allSatisfy { TerminalText.isHarmless(String($0)) }, "\(door): \(text)")
    #expect(failure.text.utf8.count < 8000, "\(door): \(failure.text.utf8.count) bytes")
  }

  @Test("as a revision: a release, a folder or a ref as it stands, and never an option or something unseen")
  func revisions() {
    for text in Self.all {
      do {
        switch try RevisionArgument(text) {
        case .release(let requirement): #expect(requirement == text && !text.contains { ";$`| ".contains($0) })
        case .folder(let path): #expect("path:" + path == text)
        case .mergeBase(let bases): #expect("\(bases.base)...\(bases.head)" == text)
        case .gitRef(let ref): #expect(ref == text && !ref.hasPrefix("-"))
        }
        #expect(TerminalText.isHarmless(text), "\(text)")
      } catch { check(error, text, "revision") }
    }
  }

  @Test("as a machine: only a destination that is one")
  func machines() {
    for text in Self.all + Self.all.map({ "ssh://\($0)@host" }) + Self.all.map({ "ssh://user@\($0)" }) {
      do {
        guard case .ssh(let destination) = try MachineChoice(text) else {
          Issue.record("'\(text)' is a machine")
          continue
        }
        #expect(!destination.host.hasPrefix("-") && !destination.user.hasPrefix("-"), "\(text)")
        #expect(TerminalText.isHarmless(destination.description), "\(text)")
      } catch { check(error, text, "machine") }
    }
  }

  @Test("as any setting: what is taken is what was typed, and names that reach other programs are names")
  func settings() async throws {
    let names: [String: NameRule] = [
      "azure.subscription": .subscription, "azure.resource-group": .azure, "azure.vm": .azure, "azure.location": .azure,
      "azure.size": .azure, "azure.image": .azure, "azure.user": .login, "azure.address-service": .page,
      "target.package": .distribution, "target.import": .module, "python": .python, "optimize.live-address": .page,
    ]
    let folder = FilePath(NSTemporaryDirectory())
    for (number, key) in SettingKey.all.enumerated() {
      // Names are held against everything, values of other kinds against every tenth text, another one for each key.
      for (index, text) in Self.all.enumerated() where names[key.name] != nil || index % 10 == number % 10 {
        do {
          let settings = try Settings.load(
            flags: [(key.name, "--set \(key.name)", text)], environment: ["HOME": "/nowhere"], folder: folder,
            configuration: FilePath("/dev/null"))
          if let rule = names[key.name], key.name != "python", key.value(settings) != nil {
            #expect(rule.allows(text) && !text.hasPrefix("-") && !text.hasPrefix("@"), "\(key.name): \(text)")
          }
          if key.name == "python" { #expect(settings.python.allSatisfy { !$0.hasPrefix("-") }, "\(text)") }
          #expect(TerminalText.isHarmless(key.value(settings) ?? ""), "\(key.name): \(text)")
        } catch { check(error, text, key.name) }
      }
    }
  }

  @Test("as a folder of results: one plain name below the results, whatever was compared")
  func folders() {
    for text in Self.all {
      let name = RevisionName.folder(text)
      #expect(!name.isEmpty && name.utf8.count <= RevisionName.limit && name.first != "." && name.first != "-")
      #expect(name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }, "\(text) became \(name)")
      let both = RevisionName.folders(base: text, head: text)
      #expect(both.base != both.head)
    }
  }

  @Test("as a job's name: a name of a folder, or none")
  func jobs() {
    for text in Self.all {
      guard let job = JobID(text) else { continue }
      #expect(job.text == text && !text.contains("/") && !text.hasPrefix(".") && !text.hasPrefix("-"))
      #expect(text.utf8.count <= 96 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
    }
  }

  @Test("on a terminal and in Markdown nothing is obeyed, linked or mentioned")
  func words() {
    for text in Self.all {
      #expect(TerminalText.isHarmless(TerminalText.clean(text)), "\(text)")
      let markdown = Markdown.text(text)
      #expect(!markdown.contains("<") && !markdown.contains("@octocat") && !markdown.contains("\u{1b}"), "\(markdown)")
      let code = Markdown.code(text)
      #expect(code.utf8.first == UInt8(ascii: "`") && code.utf8.last == UInt8(ascii: "`") && !code.contains("\n"))
    }
  }

  @Test("nothing of it was run")
  func canary() {
    let isThere = FileManager.default.fileExists(atPath: Self.canary)
    #expect(!isThere)
    TrialReport.print(
      "hostile texts x 6 doors", trials: Self.all.count, held: isThere ? 0 : Self.all.count,
      worst: isThere ? "one was run" : "none was run", since: .now)
  }
}
