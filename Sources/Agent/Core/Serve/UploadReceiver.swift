import FoundationEssentials
import Glibc
import Shared

/// Takes files over the session itself, piece by piece. A file is written beside its place, bounded by what was told of it,
/// checked at its end and moved in one step: what is damaged, cut or too long leaves nothing behind, and nothing of it is run.
final class UploadReceiver {
  private let home: AgentHome
  private var incoming: IncomingFile?
  /// Bytes of a file that was refused and still come: they are passed over, so that one refusal is one answer.
  private var passedOver = 0

  init(home: AgentHome) { self.home = home }

  var isBusy: Bool { incoming != nil || passedOver > 0 }

  /// Gets ready for a file; an empty one is there at once.
  func begin(_ request: ReceiveRequest) throws -> Received? {
    incoming = nil
    passedOver = max(0, request.bytes)
    guard (0...ReceiveRequest.maximumBytes).contains(request.bytes) else {
      throw Problem(
        what: "the benchmark host does not take the file \(request.file.sha256.prefix(12))",
        why: "\(request.bytes) bytes were told; 0 to \(ReceiveRequest.maximumBytes) are taken",
        fix: "leave large files out of the project folder: git's ignored ones are not sent", exitStatus: .usage)
    }
    incoming = try IncomingFile(request, home: home)
    passedOver = 0
    return request.bytes == 0 ? try finish() : nil
  }

  /// Takes the next bytes; the answer is due once all are here.
  func take(_ piece: Piece) throws -> Received? {
    guard let file = incoming else {
      guard passedOver > 0 else {
        throw Problem(
          what: "a piece came without a file", fix: "send 'receive' first", exitStatus: .infrastructure)
      }
      passedOver -= max(1, piece.data.count)
      return nil
    }
    do {
      guard piece.data.count <= Piece.maximumBytes, piece.data.count <= file.left else {
        throw Problem(
          what: "the benchmark host does not take the file \(file.request.file.sha256.prefix(12))",
          why: "more bytes came than were told", fix: "try again", exitStatus: .infrastructure)
      }
      try file.append(piece.data)
    } catch {
      passedOver = max(0, file.left - piece.data.count)
      incoming = nil
      throw error
    }
    return file.left == 0 ? try finish() : nil
  }

  /// The session ends: a file that is not whole is gone.
  func end() throws {
    guard let file = incoming else { return }
    incoming = nil
    throw Problem(
      what: "the file \(file.request.file.sha256.prefix(12)) came incomplete", why: "\(file.left) bytes are missing",
      fix: "send it again", exitStatus: .infrastructure)
  }

  private func finish() throws -> Received? {
    defer { incoming = nil }
    guard let file = incoming else { return nil }
    try file.moveIntoPlace()
    return Received(file: file.request.file)
  }
}

/// One file on its way in. Removed with this object unless it was moved into its place.
private final class IncomingFile {
  let request: ReceiveRequest
  private let home: AgentHome
  private let path: String
  private let descriptor: Int32
  private var hash = SHA256()
  private(set) var left: Int
  private var isInPlace = false

  private static let prefix = ".arriving-"

  init(_ request: ReceiveRequest, home: AgentHome) throws {
    self.request = request
    self.home = home
    left = request.bytes
    let folder =
      switch request.kind {
      case .upload: home.uploads
      case .agent: home.agents
      case .uv: home.tools
      }
    try Self.makeFolder(folder)
    Self.sweep(folder)
    path = "\(folder)/\(Self.prefix)\(getpid())-\(request.file.sha256.prefix(16))"
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.failure(path, errno) }
    flock(descriptor, LOCK_EX | LOCK_NB)  // tells the next one that this is no left-over; nobody else has the name
    if request.bytes > 0 {
      // Room is asked for first, so that a full disk is known at once. Not every file system can promise.
      let code = posix_fallocate(descriptor, 0, off_t(request.bytes))
      if code == ENOSPC || code == EDQUOT || code == EFBIG { throw Self.failure(path, code) }
    }
  }

  deinit {
    guard descriptor >= 0 else { return }
    if !isInPlace { unlink(path) }
    close(descriptor)
  }

  func append(_ data: Data) throws {
    try data.withUnsafeBytes { bytes in
      let code = DurableFile.writeAll(bytes, to: descriptor)
      guard code == 0 else { throw Self.failure(path, code) }
      hash.update(bytes)
    }
    left -= data.count
  }

  func moveIntoPlace() throws {
    guard hash.finish() == request.file.sha256 else {
      throw Problem(
        what: ReceiveRequest.damaged, why: "its SHA-256 is not \(request.file.sha256.prefix(12))…",
        fix: "try again; if it stays so, the memory or the disk of one end is failing", exitStatus: .infrastructure)
    }
    let place: String
    switch request.kind {
    case .upload: place = "\(home.uploads)/\(request.file)"
    case .agent:
      place = home.agent(request.file.sha256)
      try Self.makeFolder("\(home.agents)/\(request.file)")
    case .uv: place = "\(home.tools)/uv"
    }
    guard fchmod(descriptor, request.kind == .upload ? 0o600 : 0o700) == 0, fsync(descriptor) == 0,
      rename(path, place) == 0
    else {
      let code = errno
      if request.kind == .agent { rmdir("\(home.agents)/\(request.file)") }  // stays where another agent is in it
      throw Self.failure(place, code)
    }
    isInPlace = true
  }

  /// Removes what agents left that were killed in the middle.
  private static func sweep(_ folder: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []  // a left-over costs room only
    for name in names where name.hasPrefix(prefix) {
      let file = open("\(folder)/\(name)", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      guard file >= 0 else { continue }
      if flock(file, LOCK_EX | LOCK_NB) == 0 { unlink("\(folder)/\(name)") }
      close(file)
    }
  }

  private static func makeFolder(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch { throw failure(path, errno == 0 ? EACCES : errno) }
  }

  private static func failure(_ path: String, _ code: Int32) -> Problem {
    let cause = StorageFailure(path: path, code: code)
    return Problem(
      what: cause.isFull ? cause.what : "the benchmark host can't install a file", why: cause.why, fix: cause.fix,
      exitStatus: .infrastructure)
  }
}
