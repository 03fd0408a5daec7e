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
