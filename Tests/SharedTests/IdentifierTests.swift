import Foundation
import Subprocess
import TestSupport
import Testing

@testable import Shared

@Suite("Names of content and of jobs")
struct IdentifierTests {
  @Test(
    "digests are those of FIPS 180-4's examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func examples(text: String, digest: String) { #expect(SHA256.hex(text.utf8) == digest) }

  @Test("a million letters, fed in uneven pieces")
  func million() {
    var hash = SHA256()
    var left = 1_000_000
    var piece = 1
    while left > 0 {
      hash.update([UInt8](repeating: UInt8(ascii: "a"), count: min(piece, left)))
      left -= min(piece, left)
      piece = piece * 3 % 4099 + 1
    }
    #expect(hash.finish() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test("every variable that git calls local to a repository is left out, and no other")
  func gitEnvironment() async throws {
    let listed = try await run(
      .name("git"), arguments: ["rev-parse", "--local-env-vars"], output: .string(limit: 1 << 16))
    let names = listed.standardOutput.split(separator: "\n").map(String.init)
    try #require(names.contains("GIT_DIR"))
    let all = Dictionary(uniqueKeysWithValues: (names + ["GIT_SSH_COMMAND", "PATH"]).map { ($0, "x") })
    #expect(GitEnvironment.cleaned(all).keys.sorted() == ["GIT_SSH_COMMAND", "PATH"])
  }

  @Test("every length from 0 to 200 gives what sha256sum gives")
  func lengths() async throws {
    func bytes(_ length: Int) -> [UInt8] { (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) } }
    let output = try await withTemporaryFolder { folder in
      let files = (0...200).map { "\(folder)/\($0)" }
      for (length, file) in files.enumerated() { try Data(bytes(length)).write(to: URL(filePath: file)) }
      return try await run(.name("sha256sum"), arguments: Arguments(files), output: .string(limit: 1 << 20))
        .standardOutput
    }
    let digests = output.split(separator: "\n").map { String($0.prefix(64)) }
    #expect(digests.count == 201)
    for (length, digest) in digests.enumerated() {
      #expect(SHA256.hex(bytes(length)) == digest, "length \(length)")
      // The way that processors without instructions for it take.
      var portable = SHA256(isPortable: true)
      portable.update(bytes(length))
      #expect(portable.finish() == digest, "length \(length)")
    }
  }

  @Test(
    "a job's name is safe as a folder's",
    arguments: ["a", "A-b_c.d", "20260131T123456Z-0f3a", String(repeating: "x", count: 96), "_"])
  func goodNames(text: String) throws {
    let id = try #require(JobID(text))
    #expect(id.text == text)
    #expect(try JSONDecoder().decode([JobID].self, from: JSONEncoder().encode([id])) == [id])
  }

  @Test(
    "a name that could lead elsewhere or be taken for an option is none",
    arguments: [
      "", ".", "..", ".hidden", "-rf", "a/b", "a b", "ü", "a\0", "a\n", String(repeating: "x", count: 97),
    ])
  func badNames(text: String) throws {
    #expect(JobID(text) == nil)
    let json = try JSONEncoder().encode([text])
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([JobID].self, from: json) }
  }

  @Test("an upload's name is 64 small hexadecimal digits and nothing else")
  func uploads() {
    let good = SHA256.hex([])
    #expect(UploadID(sha256: good)?.sha256 == good)
    for bad in ["", good + "0", String(good.dropLast()), good.uppercased(), "../" + good.dropFirst(3)] {
      #expect(UploadID(sha256: bad) == nil)
    }
  }

  @Test("a folder's timestamp is the customer's form, in UTC")
  func timestamps() {
    let moment = Date(timeIntervalSince1970: 1_769_862_896.789)
    #expect(Timestamp.folder(moment) == "20260131T123456Z")
    #expect(Timestamp.rfc3339(moment) == "2026-01-31T12:34:56.789Z")
  }
}
