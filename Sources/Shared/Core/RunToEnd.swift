/// Runs `body` to its end, whatever becomes of the task that waits for it: a cancelled task can't wait, and what is given back
/// must not be given up half way.
///
/// `body` runs in a task of its own, which nothing cancels. It may use what is not `Sendable` of its caller: the caller does
/// nothing but wait for it from before it begins until after it has ended, so that nothing has two users at any time. It must not
/// leave what it uses to tasks that outlive it. An executor that the caller's task prefers is preferred by that task too, as by a
/// child.
public func runToEnd<Value: Sendable, Failure: Error>(
  _ body: @escaping () async throws(Failure) -> Value
) async throws(Failure) -> Value {
  nonisolated(unsafe) let body = body
  var executor: (any TaskExecutor)?
  if #available(macOS 26.4, *) { executor = withUnsafeCurrentTask { $0?.unownedTaskExecutor?.asTaskExecutor() } }
  let work = Task(executorPreference: executor) { () -> Result<Value, Failure> in
    do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
  }
  return try await work.value.get()
}
