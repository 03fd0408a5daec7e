import Shared

/// Looks at the machine around each block, and says which ones do not count.
struct DisturbanceWatch {
  let isOn: Bool

  init(isOn: Bool) { self.isOn = isOn }

  mutating func begin() {}

  mutating func end() -> (probeSeconds: [Double], disturbance: String?) { ([], nil) }
}
