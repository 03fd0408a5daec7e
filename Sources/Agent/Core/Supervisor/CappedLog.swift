import Glibc
import Shared

/// A job's `runner.log`: the first and the last of what its processes said, 256 KiB each, with a line between them that tells
/// how much was left out. A full disk loses words and nothing else.
final class CappedLog {
  static let part = 256 << 10

  private let descriptor: Int32
  /// Bytes of the first part that stand in the file.
  private var head = 0
  private var tail: [UInt8] = []
  private var leftOut = 0
  private var isDirty = false
  private var redactor: Redactor

  /// Goes on behind what an earlier supervisor left there.
  /// - Parameter redactor: masks what no log may hold.
  init(path: String, redactor: Redactor = Redactor()) {
    self.redactor = redactor
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    let size = max(0, Int(lseek(descriptor, 0, SEEK_END)))
    head = min(size, Self.part)
    let count = min(size - head, Self.part)
    tail = DurableFile.tail(of: path, bytes: count) ?? []
    leftOut = size - head - count
  }

  deinit {
    end()
    close(descriptor)
  }

  func append(_ bytes: UnsafeRawBufferPointer) { redactor.push(bytes).withUnsafeBytes { keep($0) } }

  /// The end of what one process said: nothing is held back any more.
  func end() {
    redactor.finish().withUnsafeBytes { keep($0) }
    flush()
  }

  private func keep(_ bytes: UnsafeRawBufferPointer) {
    let first = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.part - head))
    if !first.isEmpty {
      let count = pwrite(descriptor, first.baseAddress, first.count, off_t(head))
      head += max(0, count)
    }
    let rest = bytes.dropFirst(first.count)
    guard !rest.isEmpty else { return }
    tail.append(contentsOf: rest.suffix(Self.part))
    leftOut += rest.count - min(rest.count, Self.part)
    if tail.count > Self.part {
      leftOut += tail.count - Self.part
      tail.removeFirst(tail.count - Self.part)
    }
    isDirty = true
  }

  func append(_ text: String) { Array(text.utf8).withUnsafeBytes { append($0) } }

  /// Brings the file's last part up to date. To be called now and then, and at the end.
  func flush() {
    guard isDirty else { return }
    isDirty = false
    let mark = leftOut > 0 ? "\n[cf-bench: \(leftOut) bytes were left out here]\n" : ""
    let bytes = Array(mark.utf8) + tail
    let count = pwrite(descriptor, bytes, bytes.count, off_t(head))
    if count > 0 { ftruncate(descriptor, off_t(head + count)) }
  }
}
