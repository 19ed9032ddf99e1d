import NIOCore
import NIOHTTP1
import Testing
import Tidings

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct IngestTests {
    @Test func `an event is in the log when it is acknowledged`() async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.post(
                #"{"event_id":"a-1","event_type":"trade","payload":{"symbol":"BTC-USD","price":50000.00}}"#)
            #expect(answer.status == 202)
            #expect(
                answer.body
                    == #"{"accepted":1,"duplicates":0,"rejected":[],"events":[{"index":0,"event_id":"a-1","offset":1,"status":"accepted"}]}"#
            )
            let stored = try await gateway.log.read(LogQuery())
            #expect(stored.count == 1)
            #expect(try stored[0].event().source == "http")
            let again = try await gateway.request("GET", "/api/v1/events/a-1")
            #expect(again.body.contains(#""payload":{"symbol":"BTC-USD","price":50000.00}"#))
        }
    }

    @Test func `good events of an array are taken and bad ones named`() async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.post(
                """
                [{"event_id":"x","event_type":"custom"},
                 {"event_type":"custom","priority":11},
                 {"payload":{}},
                 "text",
                 {"event_id":"x","event_type":"custom"},
                 {"event_id":"y","event_type":"custom"}]
                """)
            #expect(answer.status == 202)
            #expect(
                answer.body == #"{"accepted":2,"duplicates":1,"rejected":["#
                    + #"{"index":1,"error":{"code":"invalid_priority","field":"priority","message":"must be 1...10, was 11"}},"#
                    + #"{"index":2,"error":{"code":"missing_field","field":"event_type","message":"is required"}},"#
                    + #"{"index":3,"error":{"code":"not_an_object","message":"an event must be a JSON object"}}],"#
                    + #""events":[{"index":0,"event_id":"x","offset":1,"status":"accepted"},"#
                    + #"{"index":4,"event_id":"x","offset":1,"status":"duplicate"},"#
                    + #"{"index":5,"event_id":"y","offset":2,"status":"accepted"}]}"#)
        }
    }

    @Test(arguments: [
        (#"{"payload":{}}"#, "missing_field", "event_type"),
        (#"{"event_type":"trade","priority":11}"#, "invalid_priority", "priority"),
        (#"{"event_type":"a b"}"#, "invalid_event_type", "event_type"),
        (#"{"event_type":"trade","payload":[]}"#, "invalid_payload", "payload"),
        (#"{"event_type":"trade","timestamp":"yesterday"}"#, "invalid_timestamp", "timestamp"),
    ])
    func `an event that is none is refused by field`(body: String, code: String, field: String) async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.post(body)
            #expect(answer.status == 400)
            #expect(answer.headers.first(name: "content-type") == "application/problem+json")
            let problem = try answer.object
            #expect(problem["code"]?.string == code)
            #expect(problem["field"]?.string == field)
            #expect(problem["accepted"]?.int == 0)
            #expect(problem["rejected"]?.array?.first?.object?["error"]?.object?["code"]?.string == code)
        }
    }

    @Test(arguments: [
        (#"{"event_type":"trade","payload":{"price":NaN}}"#, "NaN and Infinity are not JSON numbers at byte 41"),
        (#"{"event_type":"trade","payload":{"price":-Infinity}}"#, "NaN and Infinity are not JSON numbers at byte 41"),
        (#"[{"event_type":"trade"},{"event_type":]"#, "unexpected ']' at byte 38"),
        (#"{"event_type":"trade"} x"#, "something follows the JSON value at byte 23"),
        ("", "the JSON ends too early at byte 0"),
    ])
    func `broken JSON is refused with its place`(body: String, detail: String) async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.post(body)
            #expect(answer.status == 400)
            #expect(try answer.object["code"]?.string == "invalid_json")
            #expect(try answer.object["detail"]?.string == "Invalid JSON: \(detail)")
            #expect(gateway.log.bounds.head == 0)
        }
    }

    @Test func `an empty list is not a success`() async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.post("[]")
            #expect(answer.status == 400)
            #expect(try answer.object["code"]?.string == "no_events")
        }
    }

    @Test func `an event that the bus has forgotten and the log has not is a duplicate`() async throws {
        try await GatewayHarness.run(duplicateWindow: 2) { gateway in
            let seen = Locked(0)
            try gateway.bus.addTap(to: .all, name: "count") { _ in seen.withLock { $0 += 1 } }
            _ = try await gateway.post(#"{"event_id":"old","event_type":"custom"}"#)
            _ = try await gateway.post(#"[{"event_type":"custom"},{"event_type":"custom"},{"event_type":"custom"}]"#)
            let answer = try await gateway.post(#"{"event_id":"old","event_type":"custom"}"#)
            #expect(answer.status == 202)
            #expect(answer.body.contains(#""duplicates":1"#))
            #expect(answer.body.contains(#""offset":1,"status":"duplicate""#))
            #expect(seen.withLock { $0 } == 4)
            let metrics = try await gateway.request("GET", "/api/v1/metrics").object
            #expect(metrics["duplicates"]?.int == 1)
        }
    }

    @Test func `a broken line in the middle of NDJSON costs only itself`() async throws {
        try await GatewayHarness.run { gateway in
            let body = """
                {"event_id":"1","event_type":"custom"}

                {"event_type":"custom",
                {"event_type":"custom","payload":{"n":NaN}}
                {"event_id":"2","event_type":"custom"}
                {"event_id":"1","event_type":"custom"}
                {"event_id":"3","event_type":"custom"}
                """
            let plain = try await gateway.post(body, type: "application/x-ndjson")
            #expect(plain.status == 202)
            #expect(
                plain.body == #"{"accepted":3,"duplicates":1,"rejected":["#
                    + #"{"line":3,"error":{"code":"invalid_json","message":"the JSON ends too early at byte 23"}},"#
                    + #"{"line":4,"error":{"code":"invalid_json","message":"NaN and Infinity are not JSON numbers at byte 38"}}]}"#
            )
            let listed = try await gateway.post(
                body, type: "application/x-ndjson; charset=utf-8", path: "/api/v1/events?ids=true")
            #expect(listed.body.contains(#""events":[{"line":1,"event_id":"1","offset":1,"status":"duplicate"}"#))
            #expect(listed.body.contains(#"{"line":7,"event_id":"3","offset":3,"status":"duplicate"}"#))
        }
    }

    @Test func `NDJSON has no limit but that of a line`() async throws {
        try await GatewayHarness.run {
            $0.limits.bodyBytes = 10_000
            $0.limits.eventBytes = 1000
        } _: { gateway in
            let client = try await gateway.http()
            defer { client.close() }
            try await client.sendHead(
                "POST", "/api/v1/events",
                headers: [("Content-Type", "application/x-ndjson"), ("Transfer-Encoding", "chunked")])
            let long = #"{"event_type":"custom","payload":{"x":"\#(String(repeating: "x", count: 2000))"}}"#
            for number in 0..<50 {
                let lines = (0..<20).map { #"{"event_type":"custom","payload":{"n":\#(number * 20 + $0)}}"# }
                let text = lines.joined(separator: "\n") + (number == 10 ? "\n\(long)\n" : "\n")
                // Cut where it hurts.
                try await client.sendBody(ByteBuffer(string: String(text.prefix(77))))
                try await client.sendBody(ByteBuffer(string: String(text.dropFirst(77))))
            }
            try await client.sendEnd()
            let answer = try await client.response()
            #expect(
                answer.body == #"{"accepted":1000,"duplicates":0,"rejected":["#
                    + #"{"line":221,"error":{"code":"too_large","message":"the line is longer than 1000 bytes"}}]}"#)
        }
    }

    @Test func `a line is published when it has come, not when the request ends`() async throws {
        try await GatewayHarness.run { gateway in
            let client = try await gateway.http()
            defer { client.close() }
            try await client.sendHead(
                "POST", "/api/v1/events",
                headers: [("Content-Type", "application/x-ndjson"), ("Transfer-Encoding", "chunked")])
            try await client.sendBody(ByteBuffer(string: "{\"event_type\":\"custom\"}\n"))
            try await eventually("the first line is in the log") { gateway.log.bounds.head == 1 }
            try await client.sendBody(ByteBuffer(string: "{\"event_type\":\"custom\"}"))
            try await client.sendEnd()
            #expect(try await client.response().object["accepted"]?.int == 2)
        }
    }

    @Test(arguments: [true, false])
    func `a body beyond the limit gets its answer while it is still being sent`(announced: Bool) async throws {
        try await GatewayHarness.run { gateway in
            let client = try await gateway.http()
            defer { client.close() }
            let megabyte = ByteBuffer(repeating: UInt8(ascii: " "), count: 1 << 20)
            try await client.sendHead(
                "POST", "/api/v1/events",
                headers: [
                    ("Content-Type", "application/json"),
                    announced ? ("Content-Length", "\(10 << 20)") : ("Transfer-Encoding", "chunked"),
                ])
            for _ in 0..<10 { try await client.sendBody(megabyte) }
            // With all of an announced body there the server may have closed already.
            try? await client.sendEnd()
            let answer = try await client.response()
            #expect(answer.status == 413)
            #expect(try answer.object["code"]?.string == "body_too_large")
            #expect(answer.headers.first(name: "connection") == "close")
            #expect(try await client.isClosedByServer())
        }
    }

    @Test func `an event beyond its limit is refused and its neighbours are not`() async throws {
        try await GatewayHarness.run {
            $0.limits.eventBytes = 200
            $0.limits.bodyEvents = 3
        } _: { gateway in
            let large = #"{"event_type":"custom","payload":{"x":"\#(String(repeating: "x", count: 300))"}}"#
            let answer = try await gateway.post(#"[{"event_type":"custom"},\#(large)]"#)
            #expect(answer.status == 202)
            #expect(answer.body.contains(#""index":1,"error":{"code":"too_large""#))
            let many = try await gateway.post(
                "[" + Array(repeating: #"{"event_type":"a"}"#, count: 4).joined(separator: ",") + "]")
            #expect(many.status == 413)
            #expect(try many.object["code"]?.string == "too_many_events")
            let enough = try await gateway.post(
                "[" + Array(repeating: #"{"event_type":"a"}"#, count: 3).joined(separator: ",") + "]")
            #expect(enough.status == 202)
        }
    }

    @Test func `other media types are named`() async throws {
        try await GatewayHarness.run { gateway in
            let form = try await gateway.post("a=b", type: "application/x-www-form-urlencoded")
            #expect(form.status == 415)
            #expect(try form.object["field"]?.string == "Content-Type")
            #expect(try await gateway.request("POST", "/api/v1/events", body: "{}").status == 415)
            let packed = try await gateway.request(
                "POST", "/api/v1/events",
                headers: [("Content-Type", "application/json"), ("Content-Encoding", "br")],
                body: "{}")
            #expect(packed.status == 415)
        }
    }

    @Test func `pages of other origins may not publish`() async throws {
        try await GatewayHarness.run {
            $0.allowedOrigins = ["https://dash.example.com"]
        } _: { gateway in
            let origins = [
                "http://evil.example": 403, "null": 403, "http://127.0.0.1:1": 403,
                "http://127.0.0.1:\(gateway.port)": 202, "https://dash.example.com": 202,
            ]
            for (origin, status) in origins {
                let headers = [("Content-Type", "application/json"), ("Origin", origin)]
                let answer = try await gateway.request(
                    "POST", "/api/v1/events", headers: headers, body: #"{"event_type":"custom"}"#)
                #expect(answer.status == status, "\(origin)")
            }
        }
    }

    @Test func `a stopped bus is an answer, not a success`() async throws {
        try await GatewayHarness.run { gateway in
            await gateway.bus.stop()
            let answer = try await gateway.post(#"{"event_type":"custom"}"#)
            #expect(answer.status == 503)
            #expect(answer.headers.first(name: "retry-after") == "1")
            #expect(try answer.object["code"]?.string == "stopped")
        }
    }
}
