import CLibrary

/// The errno of a file that could not be read.
struct FileFailure: Error {
  let code: Int32
}

/// The whole content of a small file; `EFBIG` when it is longer than `limit` bytes.
func readWhole(_ path: String, limit: Int) throws(FileFailure) -> [UInt8] {
  let file = try LocalFile(path)
  defer { file.close() }
  var content: [UInt8] = []
  while let chunk = try file.next(64 << 10) {
    content += chunk
    guard content.count <= limit else { throw FileFailure(code: EFBIG) }
  }
  return content
}

/// A file that is read from front to back.
struct LocalFile: Sendable {
  private let descriptor: CInt

  init(_ path: String) throws(FileFailure) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileFailure(code: errno) }
  }

  /// At most `count` bytes; `nil` at the end.
  func next(_ count: Int) throws(FileFailure) -> [UInt8]? {
    var code: Int32 = 0
    let chunk = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      var got = read(descriptor, buffer.baseAddress, count)
      while got < 0, errno == EINTR { got = read(descriptor, buffer.baseAddress, count) }
      if got < 0 { code = errno }
      filled = max(got, 0)
    }
    guard code == 0 else { throw FileFailure(code: code) }
    return chunk.isEmpty ? nil : chunk
  }

  func close() {
    closeDescriptor(descriptor)
  }
}

/// close(2), whose name is taken in many a type; there is nothing to be done about its errors.
func closeDescriptor(_ descriptor: CInt) {
  _ = close(descriptor)
}
