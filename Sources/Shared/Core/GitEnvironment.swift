/// Variables by which git is told which repository it works on, whatever folder it is given. git sets them in hooks and for
/// aliases, and every git that is started from there obeys them.
public enum GitEnvironment {
  /// What `git rev-parse --local-env-vars` names in any release from 2.25 to 2.51, and the namespace of refs.
  private static let local: Set<String> = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE", "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_INTERNAL_SUPER_PREFIX", "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR", "GIT_NAMESPACE",
  ]

  /// The environment of a git that works on the repository it is given.
  public static func cleaned(_ environment: [String: String]) -> [String: String] {
    environment.filter { !local.contains($0.key) }
  }

  /// What every git gets first: a bare repository that is named on the command line is one that was meant, also where the
  /// login's configuration takes only those that `--git-dir` names.
  public static let options = ["-c", "safe.bareRepository=all"]
}
