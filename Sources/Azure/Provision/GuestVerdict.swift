import Foundation
import Shared

/// What the VM says of its first boot, and its host key: read inside, through Azure.
struct GuestVerdict: Sendable, Equatable {
  enum State: Sendable, Equatable {
    case busy(String)
    case ready
    case failed(step: String, words: String)
  }

  var state: State
  /// As ssh-keygen writes it, without the comment; `nil` as long as there is none.
  var hostKey: String?

  static let script = """
    echo cf-bench-cloud-init
    cloud-init status --format json 2>/dev/null || true
    echo cf-bench-done
    cat /var/lib/cf-bench/provisioned.json 2>/dev/null || true
    echo cf-bench-failed
    cat /var/lib/cf-bench/failed.json 2>/dev/null || true
    echo cf-bench-host-key
    cat /etc/ssh/ssh_host_ed25519_key.pub 2>/dev/null || true
    """

  /// Reads what ``script`` printed.
  init(output: String) {
    func part(_ name: String, upTo next: String?) -> String {
      guard let begin = output.range(of: "cf-bench-\(name)\n") else { return "" }
      let rest = output[begin.upperBound...]
      return String(next.flatMap { rest.range(of: "cf-bench-\($0)\n") }.map { rest[..<$0.lowerBound] } ?? rest)
    }
    let words = part("host-key", upTo: nil).split(whereSeparator: \.isWhitespace)
    hostKey = words.count >= 2 && words[0] == "ssh-ed25519" ? "\(words[0]) \(words[1])" : nil
    let cloudInit = try? JSONDecoder().decode(CloudInit.self, from: Data(part("cloud-init", upTo: "done").utf8))
    let failure = try? JSONDecoder().decode(Failure.self, from: Data(part("failed", upTo: "host-key").utf8))
    let isDone = !part("done", upTo: "failed").allSatisfy(\.isWhitespace)
    if let failure {
      state = .failed(step: failure.step, words: failure.words)
    } else if isDone, hostKey != nil, cloudInit?.status != "running" {
      // cloud-init may end with a warning of its own that is none of our steps.
      state = .ready
    } else if cloudInit?.status == "error" || cloudInit?.status == "done" {
      let errors = (cloudInit?.errors ?? []).joined(separator: "\n")
      state = .failed(
        step: "cloud-init", words: errors.isEmpty ? "it ended without running cf-bench's steps" : errors)
    } else {
      state = .busy(cloudInit?.status ?? "no answer yet")
    }
  }

  private struct CloudInit: Decodable {
    var status: String
    var errors: [String]?
  }

  private struct Failure: Decodable {
    var step: String
    var words: String
  }
}

/// The VM is there, but could not be set up.
struct GuestFailure: UserFacingError {
  var vm: AzureVM
  var step: String
  var words: String
  var what: String { "setting up the VM \(vm) failed at the step '\(step)'" }
  var why: String? { words }
  var fix: String {
    """
    what passed may pass again: cf-bench provision --refresh repeats the steps; to look at it: cf-bench start, then
    ssh cfadmin@ADDRESS and /var/log/cf-bench/provision.log. To begin anew: cf-bench deprovision
    """
  }
  var exitStatus: ExitStatus { .infrastructure }
}
