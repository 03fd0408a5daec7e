#if canImport(CSHA256)
  internal import CSHA256
#endif

/// SHA-256 as FIPS 180-4 defines it, section 6.2.
///
/// Our own because the agent must stay one small file that needs no library: the alternative compiles BoringSSL into it.
/// Names content (uploads, environments, agents) and seals journals; no secret depends on it. Where the processor has
/// instructions for it they are used: each line of a journal passes through here twice.
public struct SHA256: Sendable {
  private typealias Words = (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)
  private typealias Block = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

  private var state: Words = (
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19
  )
  /// The block that is not full yet, and how many bytes it has.
  private var block: Block = (0, 0, 0, 0, 0, 0, 0, 0)
  private var filled = 0
  private var length: UInt64 = 0

  public init() {}

  #if canImport(CSHA256)
    // Asked once: on a virtual machine the question itself costs more than a line's digest.
    private static let hasInstructions = cf_sha256_is_fast() != 0
    private var isFast = Self.hasInstructions

    /// One that takes the portable way on any processor, to hold the two against each other.
    init(isPortable: Bool) { isFast = isFast && !isPortable }
  #else
    init(isPortable: Bool) {}
  #endif

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    length += UInt64(bytes.count)
    var start = 0
    if filled > 0 {
      start = min(64 - filled, bytes.count)
      fill(UnsafeRawBufferPointer(rebasing: bytes[..<start]))
      guard filled == 64 else { return }
      takeBlock()
    }
    let whole = (bytes.count - start) & ~63
    if whole > 0 {
      compress(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + whole)]))
      start += whole
    }
    fill(UnsafeRawBufferPointer(rebasing: bytes[start...]))
  }

  public mutating func update(_ bytes: some Sequence<UInt8>) {
    let isDone: Void? = bytes.withContiguousStorageIfAvailable { update(UnsafeRawBufferPointer($0)) }
    if isDone == nil { Array(bytes).withUnsafeBytes { update($0) } }
  }

  /// The digest as 64 lower-case hexadecimal digits. The value is spent afterwards.
  public mutating func finish() -> String {
    withDigest { digest in
      let digits = Array("0123456789abcdef".utf8)
      return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
  }

  /// Hands the 32 bytes of the digest to `body`. The value is spent afterwards.
  mutating func withDigest<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let bits = length &* 8
    let end = filled
    withUnsafeMutableBytes(of: &block) { bytes in
      bytes[end] = 0x80
      for index in (end + 1)..<64 { bytes[index] = 0 }
    }
    // The length needs eight bytes behind the mark.
    if end >= 56 {
      takeBlock()
      block = (0, 0, 0, 0, 0, 0, 0, 0)
    }
    block.7 = bits.bigEndian
    takeBlock()
    var digest: Words = (
      state.0.bigEndian, state.1.bigEndian, state.2.bigEndian, state.3.bigEndian, state.4.bigEndian, state.5.bigEndian,
      state.6.bigEndian, state.7.bigEndian
    )
    return withUnsafeBytes(of: &digest, body)
  }

  /// The digest of `bytes` as 64 lower-case hexadecimal digits.
  public static func hex(_ bytes: some Sequence<UInt8>) -> String {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finish()
  }

  /// Puts bytes into the block; there is room for them.
  private mutating func fill(_ bytes: UnsafeRawBufferPointer) {
    let start = filled
    withUnsafeMutableBytes(of: &block) { UnsafeMutableRawBufferPointer(rebasing: $0[start...]).copyMemory(from: bytes) }
    filled += bytes.count
  }

  private mutating func takeBlock() {
    var full = block
    withUnsafeBytes(of: &full) { compress($0) }
    filled = 0
  }

  /// Takes whole blocks in.
  private mutating func compress(_ bytes: UnsafeRawBufferPointer) {
    #if canImport(CSHA256)
      if isFast {
        guard let first = bytes.baseAddress else { return }
        withUnsafeMutableBytes(of: &state) { state in
          Self.constants.withUnsafeBufferPointer { constants in
            cf_sha256_blocks(
              state.baseAddress?.assumingMemoryBound(to: UInt32.self), first.assumingMemoryBound(to: UInt8.self),
              bytes.count / 64, constants.baseAddress)
          }
        }
        return
      }
    #endif
    for start in stride(from: 0, to: bytes.count, by: 64) {
      compressOne(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + 64)]))
    }
  }

  private mutating func compressOne(_ block: UnsafeRawBufferPointer) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
      for t in 0..<16 {
        w[t] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * t, as: UInt32.self))
      }
      for t in 16..<64 {
        let s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ (w[t - 15] >> 3)
        let s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ (w[t - 2] >> 10)
        w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
      }
      var (a, b, c, d, e, f, g, h) = state
      Self.constants.withUnsafeBufferPointer { k in
        for t in 0..<64 {
          let t1 =
            h &+ (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) &+ ((e & f) ^ (~e & g)) &+ k[t] &+ w[t]
          let t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) &+ ((a & b) ^ (a & c) ^ (b & c))
          (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
        }
      }
      state = (
        state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d, state.4 &+ e, state.5 &+ f, state.6 &+ g, state.7 &+ h
      )
    }
  }

  @inline(__always) private func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }

  /// First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, section 4.2.2).
  private static let constants: [UInt32] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
  ]
}
