import Foundation
import Shared

/// libFuzzer's door. `CF_BENCH_FUZZ_TARGET` names the target; see scripts/fuzz.sh.
private let target: FuzzTarget = {
  let name = ProcessInfo.processInfo.environment["CF_BENCH_FUZZ_TARGET"] ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    fatalError(
      "CF_BENCH_FUZZ_TARGET is '\(name)'; targets: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
  }
  return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  do { try target.check(Array(UnsafeBufferPointer(start: data, count: size))) } catch {
    // libFuzzer keeps the input of a process that aborts.
    FileHandle.standardError.write(Data("BROKEN PROMISE: \(error)\n".utf8))
    abort()
  }
  return 0
}

/// With `CF_BENCH_FUZZ_SEEDS`, one file of each kind of line is written there to begin with, and the process ends.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _: UnsafeMutablePointer<CInt>, _: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
  guard let folder = ProcessInfo.processInfo.environment["CF_BENCH_FUZZ_SEEDS"] else { return 0 }
  do {
    for (number, seed) in try FuzzSeeds.of(target).enumerated() {
      try Data(seed).write(to: URL(filePath: "\(folder)/seed-\(number)"))
    }
    exit(0)
  } catch {
    FileHandle.standardError.write(Data("no seeds: \(error)\n".utf8))
    exit(1)
  }
}
