import Foundation
import Shared

/// Masks what this program's environment holds of secrets, and what looks like one, in everything it prints or writes.
enum Masking {
  static let redactor = Redactor(SecretNames.values(in: ProcessInfo.processInfo.environment))
}
