import CLibrary
import Shared

/// Numbers as people read them: no more digits than are known, always with their unit.
package enum Numbers {
  /// A duration with three digits: `1.23 s`, `19.7 ms`, `285 µs`.
  package static func seconds(_ seconds: Double) -> String {
    guard seconds.isFinite else { return "?" }
    let size = abs(seconds)
    // A hair below the next unit would round up to `1000` of this one.
    let units: [(Double, String)] = [(1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")]
    let (unit, name) = units.first { size >= 0.9995 * $0.0 } ?? (size == 0 ? units[0] : units[3])
    return "\(digits(seconds / unit, 3)) \(name)"
  }

  static func microseconds(_ microseconds: Double) -> String { seconds(microseconds * 1e-6) }

  /// How long something took, for a person who waited: `0.4 s`, `42 s`, `3 min 5 s`, `2 h`.
  package static func elapsed(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "?" }
    return seconds < 9.95 ? "\(fixed(seconds, 1)) s" : Duration.seconds(seconds).words
  }

  /// A size with a binary unit: `15.6 GiB`.
  static func bytes(_ bytes: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var (value, unit) = (Double(bytes), 0)
    while value >= 1023.5, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return "\(unit == 0 ? String(bytes) : digits(value, 3)) \(units[unit])"
  }

  /// `count` significant digits in plain notation, trailing zeros kept: they are known. Whole numbers are not rounded.
  static func digits(_ value: Double, _ count: Int) -> String {
    guard value != 0, value.isFinite else { return value == 0 ? "0" : "?" }
    var decimals = count - 1 - Int(log10(abs(value)).rounded(.down))
    // Rounding may add a digit in front: 9.996 has three as 10.0, not as 10.00.
    if abs(value) * power(decimals) >= power(count) - 0.5 { decimals -= 1 }
    return fixed(value, max(0, decimals))
  }

  /// `value` rounded to a whole multiple of 10 to the power of `exponent`.
  static func rounded(_ value: Double, to exponent: Int) -> String {
    exponent <= 0 ? fixed(value, -exponent) : fixed((value / power(exponent)).rounded() * power(exponent), 0)
  }

  /// With `decimals` places after the point.
  package static func fixed(_ value: Double, _ decimals: Int) -> String {
    let scaled = (abs(value) * power(decimals)).rounded()
    guard scaled < 1e18 else { return "\(value)" }
    let text = String(Int(scaled))
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return sign + text }
    let padded = String(repeating: "0", count: max(0, decimals + 1 - text.count)) + text
    return "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
  }

  private static func power(_ exponent: Int) -> Double { pow(10, Double(exponent)) }
}
