import Foundation

/// The Python of this machine that tests run codeflash with: environments are made once for all of them.
public enum InstalledPython {
  /// The first `python3` on the PATH, without links. Not Debian's own where there is another: memray's way to replace malloc
  /// was seen to crash (signal 11) in a program that is not position independent, as Debian's is.
  public static let path: String = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") + ["/usr/bin"]
    let found = folders.map { "\($0)/python3" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    return URL(filePath: found ?? "/usr/bin/python3").resolvingSymlinksInPath().path
  }()
}
