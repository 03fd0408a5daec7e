import Foundation
import Shared

/// Masks what this program's environment holds of secrets, and what looks like one, in everything it prints or writes.
enum Masking {
  static let redactor = Redactor(SecretNames.values(in: ProcessInfo.processInfo.environment))
}

/// The two streams of this program; all words go through here.
enum Console {
  static func output(_ text: String) { FileHandle.standardOutput.write(Data(Masking.redactor.redacted(text).utf8)) }

  static func error(_ text: String) { FileHandle.standardError.write(Data(Masking.redactor.redacted(text).utf8)) }
}
