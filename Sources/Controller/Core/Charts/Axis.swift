import Foundation

/// An axis from 0 to a round end, with marks at round numbers.
struct Axis: Equatable {
  /// Between two marks, in the axis' unit: 1, 2 or 5 times a power of ten.
  var step: Double
  /// The last mark, not below the largest value.
  var end: Double

  /// - Parameters:
  ///   - largest: Of the values to be shown; anything but a number above 0 gives an axis to 1.
  ///   - marks: About how many marks there are room for.
  init(largest: Double, marks: Int) {
    let largest = largest > 1e-9 && largest < 1e15 ? largest : 1
    let rough = largest / Double(max(1, marks))
    let power = pow(10, log10(rough).rounded(.down))
    step = ([1, 2, 5].map { $0 * power }.first { $0 >= rough * (1 - 1e-9) }) ?? 10 * power
    end = (largest / step - 1e-9).rounded(.up) * step
  }

  var marks: [Double] { (0...Int((end / step).rounded())).map { Double($0) * step } }

  /// A mark's number with the decimals that the step has.
  func words(_ mark: Double) -> String { Numbers.fixed(mark, max(0, Int((-log10(step) - 1e-9).rounded(.up)))) }
}
