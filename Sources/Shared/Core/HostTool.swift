/// A program that the agent starts on the benchmark host and does not bring along.
public enum HostTool: String, CaseIterable, Sendable {
  case uv, git, tar, hyperfine

  public var purpose: String {
    switch self {
    case .uv: "makes the Python environments"
    case .git: "is needed for revisions of a repository and for the project of layers 3 and 4"
    case .tar: "unpacks folders that were sent"
    case .hyperfine: "times the commands of layer 1"
    }
  }

  /// The command that installs it.
  public var installation: String {
    switch self {
    case .uv: "python3 -m pip install --user uv"
    case .git, .tar, .hyperfine: "sudo apt-get install \(rawValue)"
    }
  }
}
