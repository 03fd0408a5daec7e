import Foundation
import Testing

@testable import BenchLab

@Suite("Calibration: the page and its pictures")
struct CalibrationPageTests {
  @Test("docs/calibration holds what its data make")
  func committed() throws {
    let folder = URL(filePath: #filePath).appending(path: "../../../docs/calibration").standardized
    func committed(_ name: String) throws -> String {
      try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }
    let report = try JSONDecoder().decode(CalibrationReport.self, from: Data(try committed("calibration.json").utf8))
    let files = try CalibrationPage.files(report)
    #expect(files.map(\.name) == ["calibration.json", "calibration.md", "false-alarms.svg", "power.svg"])
    for file in files { #expect(file.text == (try committed(file.name)), "\(file.name): run 'make calibrate'") }
  }
}
