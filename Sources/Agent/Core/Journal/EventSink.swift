import Shared

/// Where events go: the job's journal, or a list in a test.
protocol EventSink: AnyObject {
  /// Numbers the event and keeps it.
  /// - Throws: ``UserFacingError`` when it can't be kept (a full disk).
  func emit(_ event: JobEvent) throws
}
