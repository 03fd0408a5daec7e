import CLibrary
import FoundationEssentials

/// Turns any error into a sentence without the names of Swift types, for a place that has room for one.
public enum SystemErrorText {
  public static func describe(_ error: any Error) -> String {
    switch error {
    case let error as any UserFacingError: error.what
    case let error as CocoaError:
      [error.filePath, systemCode(of: error).map(words) ?? "the system's error \(error.code.rawValue)"]
        .compactMap { $0 }.joined(separator: ": ")
    case let error as POSIXError: words(error.code.rawValue)
    case let error as DecodingError: DecodingErrorText.describe(error)
    case is CancellationError: "cancelled"
    default: "\(error)"
    }
  }

  /// The system's number (`errno`) that Foundation passes on, or that its own code stands for.
  public static func systemCode(of error: CocoaError) -> Int32? {
    if let error = error.underlying as? POSIXError { return error.code.rawValue }
    return switch error.code {
    case .fileWriteOutOfSpace: ENOSPC
    case .fileNoSuchFile, .fileReadNoSuchFile: ENOENT
    case .fileReadNoPermission, .fileWriteNoPermission: EACCES
    case .fileWriteFileExists: EEXIST
    case .fileWriteVolumeReadOnly: EROFS
    default: nil
    }
  }

  private static func words(_ code: Int32) -> String { String(cString: strerror(code)) }
}
