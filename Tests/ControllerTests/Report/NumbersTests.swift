import Testing

@testable import ControllerCore

@Suite("Numbers as people read them")
struct NumbersTests {
  @Test(
    "durations have three digits and the unit that fits",
    arguments: [
      (1.2312, "1.23 s"), (12.34, "12.3 s"), (123.4, "123 s"), (0.01974, "19.7 ms"), (0.45, "450 ms"),
      (0.000285, "285 µs"),
      (0.0041, "4.10 ms"), (0.9999, "1.00 s"), (0.0009996, "1.00 ms"), (0.0009994, "999 µs"), (9.996, "10.0 s"),
      (9.994, "9.99 s"), (1.25e-7, "125 ns"), (3e-10, "0.300 ns"), (0, "0 s"), (-0.00108, "-1.08 ms"), (.nan, "?"),
      (.infinity, "?"), (1234.5, "1235 s"),
    ] as [(Double, String)])
  func seconds(value: Double, text: String) { #expect(Numbers.seconds(value) == text) }

  @Test(
    "time that passed is read off without arithmetic",
    arguments: [
      (0, "0.0 s"), (0.44, "0.4 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min"),
      (187.4, "3 min 7 s"), (3600, "1 h"), (7799, "2 h 9 min"), (-1, "?"),
    ] as [(Double, String)])
  func elapsed(value: Double, text: String) { #expect(Numbers.elapsed(value) == text) }

  @Test(
    "sizes",
    arguments: [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (16_777_216_000, "15.6 GiB"), (1 << 40, "1.00 TiB")])
  func bytes(value: Int, text: String) { #expect(Numbers.bytes(value) == text) }

  @Test(
    "a change has the digits that its interval supports",
    arguments: [
      (0.2667, 0.265, 0.268, "-73%", "3.75x", "3.75x faster"), (0.2667, 0.2, 0.33, "-73%", "3.7x", "3.7x faster"),
      (0.0161, 0.016, 0.0162, "-98%", "62.1x", "62.1x faster"), (0.0161, 0.0158, 0.0165, "-98%", "62x", "62x faster"),
      (0.2667, 0.263, 0.27, "-73%", "3.75x", "3.75x faster"),
      (0.0161, 0.01, 0.026, "-98%", "62x", "62x faster"), (0.816, 0.81, 0.822, "-18%", nil, "18% less time"),
      (1.183, 1.18, 1.186, "+18%", nil, "18% slower"), (1.0345, 1.03, 1.039, "+3.4%", nil, "3.4% slower"),
      (1.0345, 1.02, 1.06, "+3%", nil, "3% slower"), (62, 61, 63, "+6100%", "62x", "62x slower"),
      (0.0004, 0.00039, 0.00041, "-99.9%", "2500x", "2500x faster"),
      (0.004, 0.0039, 0.0041, "-99%", "250x", "250x faster"),
      (2.0, 2.0, 2.0, "+100%", "2.00x", "2.00x slower"),
    ] as [(Double, Double, Double, String, String?, String)])
  func ratios(ratio: Double, low: Double, high: Double, percent: String, factor: String?, words: String) {
    let change = RatioFormatter(ratio: ratio, interval: low...high)
    #expect(change.percent == percent)
    #expect(change.factor == factor)
    #expect(change.faster == words)
  }
}
