import Shared
struct SideBuilder {
  init(manifest: JobManifest, home: AgentHome, environment: [String: String], sink: any EventSink) {}
  mutating func prepare(python: String) throws -> [SideEnvironment] { [] }
}
enum LayerList { static func make(from plans: LayerPlans) -> [any Layer] { [] } }
enum Uv { static func find(environment: [String: String], home: AgentHome) throws -> String { "uv" } }
