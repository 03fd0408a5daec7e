import Shared

/// Everything a command of short output left.
public struct SSHOutput: Sendable, Equatable {
  public var standardOutput: [UInt8]
  public var standardError: [UInt8]
  public var exit: SSHExit

  /// Standard output as text; bytes that are not UTF-8 become replacement characters.
  public var text: String { String(decoding: standardOutput, as: UTF8.self) }
  /// Standard error as text.
  public var errorText: String { String(decoding: standardError, as: UTF8.self) }
}

extension SSHConnection {
  /// Runs a command to its end.
  /// - Parameters:
  ///   - input: Its whole standard input.
  ///   - outputLimit: Bytes of each output that are kept; a command that writes more is ended with an error.
  ///   - limit: From the start of the command to its end.
  public nonisolated func run(
    _ command: String, input: [UInt8] = [], outputLimit: Int = 1 << 20, limit: Duration
  ) async throws -> SSHOutput {
    try await run(command, outputLimit: outputLimit, limit: limit) { channel in
      for start in stride(from: 0, to: input.count, by: Self.piece) {
        try await channel.send(Array(input[start..<min(start + Self.piece, input.count)]))
      }
    }
  }

  /// Runs a command to its end with a local file as its standard input: `cat > TEMPORARY` on the remote host makes it an
  /// upload.
  public nonisolated func run(
    _ command: String, inputFile path: String, outputLimit: Int = 1 << 20, limit: Duration
  ) async throws -> SSHOutput {
    let destination = destination
    @Sendable func telling<R>(_ work: () throws(FileFailure) -> R) throws(SSHError) -> R {
      do { return try work() } catch {
        throw SSHError(step: .transfer, destination: destination, cause: .localFile(path: path, code: error.code))
      }
    }
    let file = try telling { () throws(FileFailure) in try LocalFile(path) }
    defer { file.close() }
    return try await run(command, outputLimit: outputLimit, limit: limit) { channel in
      while let chunk = try telling({ () throws(FileFailure) in try file.next(Self.piece) }) {
        try await channel.send(chunk)
      }
    }
  }

  private static var piece: Int { 256 << 10 }

  private nonisolated func run(
    _ command: String, outputLimit: Int, limit: Duration, feed: @escaping @Sendable (SSHChannel) async throws -> Void
  ) async throws -> SSHOutput {
    let channel = try await exec(command)
    let late = SSHError(
      step: .transfer, destination: destination, cause: .commandTooSlow(command, limit: limit))
    let tooLong = SSHError(
      step: .transfer, destination: destination, cause: .outputTooLong(command, limit: outputLimit))
    do {
      let output = try await withLimit(limit, late: late) {
        async let feeding: Void = Self.feed(channel, feed)
        async let errors = channel.standardError.collect(upTo: outputLimit, orThrow: tooLong)
        let written = try await channel.standardOutput.collect(upTo: outputLimit, orThrow: tooLong)
        let exit = try await (errors, channel.exit())
        try await feeding
        return SSHOutput(standardOutput: written, standardError: exit.0, exit: exit.1)
      }
      await channel.close()
      return output
    } catch {
      // This task may have been cancelled and could not wait for the remote host.
      await runToEnd { await channel.close() }
      throw error
    }
  }

  private static func feed(
    _ channel: SSHChannel, _ feed: @Sendable (SSHChannel) async throws -> Void
  ) async throws {
    do {
      try await feed(channel)
    } catch let error as SSHError where error.cause == .inputClosed {
      // The command has ended without reading everything; its status and error output say why.
    }
    await channel.finishInput()
  }
}

extension SSHByteStream {
  /// The whole stream.
  func collect(upTo limit: Int, orThrow tooLong: SSHError) async throws -> [UInt8] {
    var collected: [UInt8] = []
    for try await chunk in self {
      guard collected.count + chunk.count <= limit else { throw tooLong }
      collected += chunk
    }
    return collected
  }
}
