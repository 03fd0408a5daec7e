import Foundation
import Shared
import Testing
import TestSupport

@Suite("What goes over the wire fits its schema")
struct SchemaTests {
  private func json(_ document: some Encodable) throws -> Data { try JSONEncoder().encode(document) }

  @Test("every request")
  func requests() async throws {
    let documents = try EveryMessage.requests().map { Data(try $0.line()) }
    #expect(try await SchemaValidator.errors(of: documents, schema: "request") == nil)
  }

  @Test("every message")
  func messages() async throws {
    let documents = try EveryMessage.messages().map { Data(try $0.line()) }
    #expect(try await SchemaValidator.errors(of: documents, schema: "message") == nil)
  }

  @Test("every event, and one of a kind that is not known yet")
  func events() async throws {
    let unknown = Data(#"{"seq":1,"type":"dance","time":"2026-01-31T12:34:56Z","body":3,"more":1}"#.utf8)
    let documents = try EveryMessage.numbered().map { Data(try $0.line()) } + [unknown]
    #expect(try await SchemaValidator.errors(of: documents, schema: "event") == nil)
  }

  @Test("every manifest")
  func manifests() async throws {
    let documents = try EveryMessage.manifests().map { try json($0) }
    #expect(try await SchemaValidator.errors(of: documents, schema: "manifest") == nil)
  }

  @Test("each schema refuses what its reader would refuse")
  func refusals() async throws {
    let wrong = [
      "request": [
        #"{"v":1,"type":"ping","body":{}}"#, #"{"v":2,"type":"ping","body":{"number":1}}"#,
        #"{"type":"ping","body":{"number":1}}"#, #"{"v":1,"type":"attach","body":{"job":"../x","after":0}}"#,
      ],
      "message": [
        #"{"v":1,"type":"pong","body":{"number":"1"}}"#, #"{"v":1,"type":"pong"}"#,
        #"{"v":1,"type":"uploads","body":{"missing":["abc"],"folder":"/h"}}"#,
      ],
      "event": [
        #"{"seq":0,"type":"phase","time":"2026-01-31T12:34:56Z","body":{"text":"x"}}"#,
        #"{"type":"phase","time":"2026-01-31T12:34:56Z","body":{"text":"x"}}"#,
        #"{"seq":1,"type":"phase","time":"2026-01-31T12:34:56Z","body":{"text":"x","side":"left"}}"#,
        #"{"seq":1,"type":"finished","time":"2026-01-31T12:34:56Z","body":{"outcome":"well","seconds":1}}"#,
      ],
      "manifest": [#"{"schema":1}"#],
    ]
    for (schema, texts) in wrong {
      let fitting = try await SchemaValidator.fitting(texts.map { Data($0.utf8) }, schema: schema)
      #expect(fitting == [], "\(schema): \(fitting.map { texts[$0] })")
    }
  }
}
