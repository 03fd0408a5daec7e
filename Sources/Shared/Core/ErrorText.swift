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

/// Turns a decoding error into a sentence without the names of Swift types.
public enum DecodingErrorText {
  public static func describe(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "it is not valid JSON" }
    switch error {
    case .keyNotFound(let key, let context): return "the field '\(path(context, key))' is missing"
    case .typeMismatch(_, let context): return "the field '\(path(context))' has the wrong type"
    case .valueNotFound(_, let context): return "the field '\(path(context))' is empty"
    case .dataCorrupted(let context):
      return context.codingPath.isEmpty
        ? "it is not valid JSON" : "the field '\(path(context))' is not valid: \(context.debugDescription)"
    @unknown default: return "it can't be read"
    }
  }

  private static func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
    (context.codingPath + (last.map { [$0] } ?? []))
      .map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
      .joined(separator: ".").replacing(".[", with: "[")
  }
}
