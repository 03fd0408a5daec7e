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

  private static let mark = "cf-bench-verdict "

  /// Prints one line. Azure passes on the last 4096 bytes of what a script prints, so only what counts is in it. Python is
  /// there: cloud-init is written in it.
  static let script = """
    python3 - <<'END-OF-LOOK'
    import json, subprocess
    def text(path):
        try:
            return open(path, errors="replace").read().strip()
        except OSError:
            return ""
    def parsed(words):
        try:
            return json.loads(words, strict=False)
        except ValueError:
            return {}
    try:
        told = parsed(subprocess.run(["cloud-init", "status", "--format", "json"], capture_output=True, text=True).stdout)
    except OSError:
        told = {}
    raw = text("/var/lib/cf-bench/failed.json")
    failed = parsed(raw)
    look = {
        "status": told.get("status"), "errors": " / ".join(map(str, told.get("errors") or []))[-800:],
        "isDone": bool(text("/var/lib/cf-bench/provisioned.json")),
        "step": str(failed.get("step", "unknown")) if raw else None, "words": str(failed.get("words", raw))[-1200:],
        "hostKey": " ".join(text("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]),
    }
    print("\(mark)" + json.dumps(look))
    END-OF-LOOK
    """

  /// Reads what ``script`` printed.
  init(output: String) {
    let line = output.split(whereSeparator: \.isNewline).last { $0.hasPrefix(Self.mark) } ?? ""
    guard let look = try? JSONDecoder().decode(Look.self, from: Data(line.dropFirst(Self.mark.count).utf8)) else {
      state = .busy("no answer yet")
      return
    }
    hostKey = look.hostKey.hasPrefix("ssh-ed25519 ") ? look.hostKey : nil
    if let step = look.step {
      state = .failed(step: step, words: look.words.trimmingCharacters(in: .whitespacesAndNewlines))
    } else if look.isDone, look.status != "running" {
      // cloud-init may end with a complaint of its own that is none of our steps.
      state = .ready
    } else if ["error", "done", "degraded", "disabled"].contains(look.status) {
      let words = look.errors.isEmpty ? "it ended (\(look.status ?? "")) without cf-bench's steps" : look.errors
      state = .failed(step: "cloud-init", words: words)
    } else {
      state = .busy(look.status ?? "no answer yet")
    }
  }

  private struct Look: Decodable {
    var status: String?
    var errors: String
    var isDone: Bool
    var step: String?
    var words: String
    var hostKey: String
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
    what passed may pass again: cf-bench provision repeats the steps. To look at it: cf-bench start, then ssh cfadmin@ADDRESS
    and sudo less /var/log/cf-bench/provision.log. To begin anew: cf-bench deprovision
    """
  }
  var exitStatus: ExitStatus { .infrastructure }
}
