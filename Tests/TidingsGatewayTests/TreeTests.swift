import NIOHTTP1
import Testing
import Tidings

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct TreeTests {
    private func publish(_ gateway: GatewayHarness, _ json: String) async throws {
        let answer = try await gateway.post(json)
        #expect(answer.status == 202, "\(answer.body)")
    }

    @Test func `the tree of an event comes from its root, with offsets, times and children`() async throws {
        try await GatewayHarness.run { gateway in
            try await self.publish(
                gateway,
                """
                [{"event_id":"a","event_type":"workflow.start","timestamp":"2026-01-15T10:30:00Z","source":"s"},
                 {"event_id":"c","event_type":"selector.found","timestamp":"2026-01-15T10:30:00.0124Z","source":"s",
                  "payload":{"price":50000.00},"correlation_id":"a","parent_event_id":"b"},
                 {"event_id":"b","event_type":"workflow.step","timestamp":"2026-01-15T10:30:00.001Z","source":"s",
                  "correlation_id":"a","parent_event_id":"a"},
                 {"event_id":"d","event_type":"custom","timestamp":"2026-01-15T10:30:02Z","source":"s",
                  "parent_event_id":"c"},
                 {"event_id":"alone","event_type":"custom","source":"s"}]
                """)
            func logged(_ id: String) async throws -> String {
                try await String(gateway.request("GET", "/api/v1/events/\(id)").body.dropLast())
            }
            let expected = try await """
            "incomplete":false,"root":\(logged("a")),"elapsed_ms":0,"children":[\
            \(logged("b")),"elapsed_ms":1,"children":[\
            \(logged("c")),"elapsed_ms":12.4,"children":[\
            \(logged("d")),"elapsed_ms":2000,"children":[]}]}]}]}}
            """
            for id in ["a", "b", "c", "d"] {
                let answer = try await gateway.request("GET", "/api/v1/events/\(id)/tree")
                #expect(answer.status == 200)
                #expect(answer.headers.first(name: "content-type") == "application/json")
                #expect(answer.body == #"{"event_id":"\#(id)",\#(expected)"#)
            }
            let alone = try await gateway.request("GET", "/api/v1/events/alone/tree")
            #expect(
                try await alone.body
                    == #"{"event_id":"alone","incomplete":false,"root":\#(logged("alone")),"elapsed_ms":0,"children":[]}}"#
            )
        }
    }

    @Test func `what a handler publishes is in the tree of what it was given`() async throws {
        try await GatewayHarness.run { gateway in
            let bus = gateway.bus
            try bus.subscribe(to: "ping") { _ in
                let answer = StandardEvent(
                    eventType: "pong", source: "handler", payload: .empty, eventID: EventID("answer"))
                _ = try await bus.publish(answer)
            }
            try await self.publish(gateway, #"{"event_id":"question","event_type":"ping"}"#)
            try await eventually("the answer") {
                try await gateway.request("GET", "/api/v1/events/answer").status == 200
            }
            let tree = try await gateway.request("GET", "/api/v1/events/answer/tree").object
            let root = try #require(tree["root"]?.object)
            #expect(root["event"]?.object?["event_id"] == "question")
            #expect(root["children"]?.array?.first?.object?["event"]?.object?["event_id"] == "answer")
        }
    }

    @Test func `an id may hold anything that a path can carry`() async throws {
        try await GatewayHarness.run { gateway in
            try await self.publish(gateway, #"{"event_id":"a/b tree?","event_type":"custom"}"#)
            let answer = try await gateway.request("GET", "/api/v1/events/a%2Fb%20tree%3F/tree")
            #expect(answer.status == 200)
            #expect(try answer.object["event_id"] == "a/b tree?")
        }
    }

    @Test func `unknown events, parameters and methods are problems`() async throws {
        try await GatewayHarness.run { gateway in
            let missing = try await gateway.request("GET", "/api/v1/events/nobody/tree")
            #expect(missing.status == 404)
            #expect(missing.headers.first(name: "content-type") == "application/problem+json")
            #expect(try missing.object["code"] == "not_found")
            #expect(try missing.object["detail"] == "There is no event nobody")
            let long = String(repeating: "x", count: 129)
            let tooLong = try await gateway.request("GET", "/api/v1/events/\(long)/tree")
            #expect(tooLong.status == 400)
            #expect(try tooLong.object["field"] == "event_id")
            let parameter = try await gateway.request("GET", "/api/v1/events/nobody/tree?depth=1")
            #expect(parameter.status == 400)
            #expect(try parameter.object["field"] == "depth")
            let method = try await gateway.request("POST", "/api/v1/events/nobody/tree", body: "{}")
            #expect(method.status == 405)
            #expect(method.headers.first(name: "allow") == "GET, HEAD, OPTIONS")
            #expect(try await gateway.request("GET", "/api/v1/events/nobody/trees").status == 404)
        }
    }

    @Test func `a chain of ten thousand parents is answered, cut to what can be read`() async throws {
        try await GatewayHarness.run { gateway in
            let events = (0..<10_000).map { number in
                StandardEvent(
                    eventType: "custom", source: "test", payload: .empty, eventID: EventID("\(number)"),
                    correlationID: EventID("0"), parentEventID: number > 0 ? EventID("\(number - 1)") : nil)
            }
            for batch in EventBatch.batches(of: events) { _ = try await gateway.bus.publish(batch) }
            for id in ["0", "5000", "9999"] {
                let answer = try await gateway.request("GET", "/api/v1/events/\(id)/tree")
                #expect(answer.status == 200)
                #expect(answer.body.hasPrefix(#"{"event_id":"\#(id)","incomplete":true,"root":{"offset":"#))
                #expect(answer.body.contains(#"{"event_id":"\#(id)","event_type":"#))
                let brackets = answer.body.utf8.reduce(into: (depth: 0, deepest: 0)) { state, byte in
                    if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") { state.depth += 1 }
                    if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") { state.depth -= 1 }
                    state.deepest = max(state.deepest, state.depth)
                }
                #expect(brackets.depth == 0)
                #expect(brackets.deepest < 600)
            }
        }
    }
}
