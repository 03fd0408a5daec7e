import Foundation
import Shared
import Testing

@testable import ControllerCore

@Suite("Charts: files for speedscope")
struct SpeedscopeTests {
  @Test("one profile is these bytes")
  func bytes() throws {
    let profile = PictureSamples.profile(
      [("main a.py;f b.py", 0.75), ("main a.py", 0.25)], unit: .seconds, leftOut: 0.5)
    let json = try Speedscope.json([profile], labels: PictureSamples.labels, name: "Full optimize run")
    let expected =
      #"{"$schema":"https://www.speedscope.app/file-format-schema.json","activeProfileIndex":0,"#
      + #""exporter":"cf-bench \#(Version.current)","name":"Full optimize run","profiles":[{"endValue":1.5,"#
      + #""name":"head (feature): Full optimize run, Python 3.12, py-spy 0.4.1","samples":[[0,1],[2],[3]],"#
      + #""startValue":0,"type":"sampled","unit":"seconds","weights":[0.75,0.25,0.5]}],"shared":{"frames":["#
      + #"{"file":"a.py","line":1,"name":"main"},{"file":"b.py","line":1,"name":"f"},"#
      + #"{"file":"a.py","line":2,"name":"main"},{"name":"(stacks left out for size)"}]}}"#
    #expect(String(decoding: json, as: UTF8.self) == expected)
  }

  @Test("profiles share their frames, and odd ones do no harm")
  func several() throws {
    var odd = PictureSamples.profile([("main a.py", 3), ("nan a.py", .nan)], side: .base)
    odd.stacks.append(.init(frames: [42], value: 1))
    odd.frames[1].name = PictureSamples.hostile
    let json = try Speedscope.json(
      [odd, PictureSamples.profile([("main a.py", 1)]), PictureSamples.profile([])], labels: [:], name: "x")
    let file = try JSONDecoder().decode(File.self, from: Data(json))
    #expect(file.profiles.map(\.samples) == [[[0], [1]], [[0]], []])
    #expect(file.profiles.map(\.weights) == [[3, 1], [1], []])
    #expect(file.profiles.map(\.unit) == ["bytes", "bytes", "bytes"])
    #expect(file.profiles.map(\.endValue) == [4, 1, 0])
    #expect(file.shared.frames.map(\.name) == ["main", "?"])
  }

  private struct File: Decodable {
    struct SharedFrames: Decodable { var frames: [Frame] }
    struct Frame: Decodable { var name: String }
    struct Profile: Decodable {
      var unit: String
      var endValue: Double
      var samples: [[Int]]
      var weights: [Double]
    }
    var shared: SharedFrames
    var profiles: [Profile]
  }
}
