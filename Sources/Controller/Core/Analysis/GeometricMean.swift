import Foundation

enum GeometricMean {
  /// Of values that are positive; else the first that is not, so that whoever takes the mean meets it.
  static func of(_ values: [Double]) -> Double {
    if let wrong = values.first(where: { $0 <= 0 || !$0.isFinite }) { return wrong }
    guard let only = values.first, values.count > 1 else { return values.first ?? .nan }
    // Relative to one of them: equal values come out as they went in.
    return only * exp(values.reduce(0) { $0 + log($1 / only) } / Double(values.count))
  }
}
