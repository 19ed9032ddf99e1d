import NIOCore
import NIOHTTP1
import Testing
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct CloudEventHTTPTests {
    private static let structured = "application/cloudevents+json"
    private static let batch = "application/cloudevents-batch+json"

    /// The event as a CloudEvent, without its offset.
    private static func read(_ gateway: GatewayHarness, _ id: String) async throws -> JSONObject {
        let path = "/api/v1/events/" + id.replacing("/", with: "%2F").replacing("@", with: "%40")
        let answer = try await gateway.request("GET", path, headers: [("Accept", Self.structured)])
        #expect(answer.status == 200)
        #expect(answer.headers.first(name: "content-type") == Self.structured)
        return try answer.object.setting("tidingsoffset", to: nil)
    }

    @Test func `a structured event is an event of ours and comes back as it was`() async throws {
        try await GatewayHarness.run { gateway in
            let sent =
                #"{"specversion":"1.0","id":"ce-1","source":"/sensors/3","type":"com.example.reading","time":"2026-03-01T12:00:00.123Z","correlationid":"c-9","parenteventid":"p-1","priority":2,"datacontenttype":"application/json","dataschema":"https://example.com/schema","subject":"zürich","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","flag":true,"number":-7,"data":{"price":50000.00,"symbol":"BTC-USD"}}"#
            let answer = try await gateway.post(sent, type: Self.structured + "; charset=utf-8")
            #expect(answer.status == 202)
            #expect(answer.body.contains(#""event_id":"ce-1","offset":1,"status":"accepted""#))
            let event = try await gateway.log.read(LogQuery())[0].event()
            #expect("\(event.eventID)" == "ce-1")
            #expect(event.source == "/sensors/3")
            #expect(event.eventType == "com.example.reading")
            #expect("\(event.correlationID)" == "c-9")
            #expect(event.parentEventID.map { "\($0)" } == "p-1")
            #expect(event.priority == 2)
            #expect(event.symbol == "BTC-USD")
            #expect(event.extra?["subject"]?.string == "zürich")
            #expect(event.extra?["flag"]?.bool == true)
            #expect(try await Self.read(gateway, "ce-1").description == sent)
        }
    }

    @Test func `any event goes out as a CloudEvent and comes in again the same`() async throws {
        let json =
            #"{"event_id":"e 1","event_type":"custom","timestamp":"2026-03-01T12:00:00Z","source":"my scraper","payload":{"a":[1,{"b":1e-7}]},"correlation_id":"root","priority":5,"processed_at":"2026-03-01T12:00:01Z","processing_time_ms":0.125,"replay":{"id":"r","offset":3},"Upper_case":"x","id":"not the id","data":"no data","fraction":1.50,"empty":null}"#
        try await GatewayHarness.run { first in
            _ = try await first.post(json)
            let sent = try await Self.read(first, "e%201").setting("source", to: "my scraper")
            try await GatewayHarness.run { second in
                let answer = try await second.post(sent.description, type: Self.structured)
                #expect(answer.status == 202, "\(answer.body)")
                #expect(try await second.log.read(LogQuery())[0].event().json == json)
            }
        }
    }

    @Test(arguments: [
        (#""data":"text""#, #"{"data":"text"}"#), (#""data":"""#, #"{"data":""}"#),
        (#""data":null"#, #"{"data":null}"#),
        (#""data":[1,2.50]"#, #"{"data":[1,2.50]}"#), (#""data":17"#, #"{"data":17}"#),
        (#""data":{"data":1}"#, #"{"data":1}"#), (#""data":{}"#, "{}"),
        (#""data_base64":"AP8=""#, #"{"data_base64":"AP8="}"#),
        (#""data":{"data_base64":"AP8="}"#, #"{"data_base64":"AP8="}"#), ("", "{}"),
    ])
    func `data of every kind has its place in the payload and comes back`(data: String, payload: String) async throws {
        try await GatewayHarness.run { gateway in
            let sent =
                #"{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2026-01-01T00:00:00Z""#
                + (data.isEmpty ? "}" : ",\(data)}")
            #expect(try await gateway.post(sent, type: Self.structured).status == 202)
            let event = try await gateway.log.read(LogQuery())[0].event()
            #expect(event.json.contains("\"payload\":\(payload),"))
            #expect(try await Self.read(gateway, "1").description == sent)
        }
    }

    @Test(arguments: [
        (#"{"specversion":"0.3","id":"1","source":"/s","type":"t"}"#, "invalid_specversion", "specversion"),
        (#"{"specversion":1.0,"id":"1","source":"/s","type":"t"}"#, "invalid_specversion", "specversion"),
        (#"{"id":"1","source":"/s","type":"t"}"#, "missing_field", "specversion"),
        (#"{"specversion":"1.0","source":"/s","type":"t"}"#, "missing_field", "id"),
        (#"{"specversion":"1.0","id":"1","source":null,"type":"t"}"#, "missing_field", "source"),
        (#"{"specversion":"1.0","id":"1","source":"/s"}"#, "missing_field", "type"),
        (#"{"specversion":"1.0","id":"","source":"/s","type":"t"}"#, "invalid_id", "id"),
        (#"{"specversion":"1.0","id":1,"source":"/s","type":"t"}"#, "invalid_id", "id"),
        (#"{"specversion":"1.0","id":"1","source":"","type":"t"}"#, "invalid_source", "source"),
        (#"{"specversion":"1.0","id":"1","source":"/s","type":"com.example/foo"}"#, "invalid_type", "type"),
        (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"yesterday"}"#, "invalid_time", "time"),
        (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","time":17}"#, "invalid_time", "time"),
        (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":""}"#, "invalid_subject", "subject"),
        (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","priority":11}"#, "invalid_priority", "priority"),
        (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","My_ext":1}"#, "invalid_attribute", "My_ext"),
        (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":{}}"#, "invalid_attribute", "ext"),
        (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":1,"ext":2}"#, "invalid_attribute", "ext"),
        (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":1,"data_base64":""}"#, "invalid_data", "data"),
        (
            #"{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"A"}"#, "invalid_data_base64",
            "data_base64"
        ),
        (
            #"{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":[]}"#, "invalid_data_base64",
            "data_base64"
        ),
    ])
    func `a CloudEvent that is none is refused by its attribute`(body: String, code: String, field: String) async throws
    {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.post(body, type: Self.structured)
            #expect(answer.status == 400)
            #expect(try answer.object["code"]?.string == code, "\(answer.body)")
            #expect(try answer.object["field"]?.string == field, "\(answer.body)")
            #expect(gateway.log.bounds.head == 0)
        }
    }

    @Test func `a batch is judged event by event, and its answer is that of an array`() async throws {
        try await GatewayHarness.run { gateway in
            let body = #"""
                [{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"n":1}},
                 {"specversion":"1.0","id":"2","source":"/s","type":"a b"}, 17,
                 {"specversion":"1.0","id":"1","source":"/s","type":"t"}]
                """#
            let answer = try await gateway.post(body, type: Self.batch)
            #expect(answer.status == 202)
            let report = try answer.object
            #expect(report["accepted"]?.int == 1)
            #expect(report["duplicates"]?.int == 1)
            let codes = report["rejected"]?.array?.map { $0.object?["error"]?.object?["code"]?.string }
            #expect(codes == ["invalid_type", "not_an_object"])
            #expect(try await gateway.post("[]", type: Self.batch).status == 400)
            #expect(try await gateway.post("{}", type: Self.batch).object["code"]?.string == "not_an_event")
            #expect(try await gateway.post("[]", type: Self.structured).object["code"]?.string == "not_an_event")
            #expect(try await gateway.post("[}", type: Self.batch).object["code"]?.string == "invalid_json")
        }
    }

    @Test func `the same id of another source is another event, and each is known again`() async throws {
        try await GatewayHarness.run { gateway in
            func post(_ source: String) async throws -> JSONObject {
                try await gateway.post(
                    #"{"specversion":"1.0","id":"1","source":"\#(source)","type":"t"}"#, type: Self.structured
                ).object
            }
            #expect(try await post("/a")["accepted"]?.int == 1)
            #expect(try await post("/b")["accepted"]?.int == 1)
            #expect(try await post("/a")["duplicates"]?.int == 1)
            #expect(try await post("/b")["duplicates"]?.int == 1)
            #expect(gateway.log.bounds.head == 2)
            let other = try await Self.read(gateway, "1@/b")
            #expect(other["id"]?.string == "1")
            #expect(other["source"]?.string == "/b")
            #expect(other["correlationid"] == nil)
        }
    }

    // MARK: Binary mode

    private static func binary(_ extra: [(String, String)]) -> [(String, String)] {
        [("ce-specversion", "1.0"), ("ce-id", "b-1"), ("ce-source", "/s"), ("ce-type", "com.example.t")] + extra
    }

    @Test func `attributes in headers are decoded, once`() async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.request(
                "POST", "/api/v1/events",
                headers: Self.binary([
                    ("ce-subject", "Z%C3%BCrich%20%2525"), ("Ce-Quoted", #""a \"b\" %41""#), ("ce-loose", "100% sure"),
                    ("ce-priority", "3"), ("ce-time", "2026-01-01T00:00:00Z"), ("Content-Type", "application/json"),
                ]), body: #"{"n":1.0}"#)
            #expect(answer.status == 202, "\(answer.body)")
            let event = try await gateway.log.read(LogQuery())[0].event()
            #expect(event.extra?["subject"]?.string == "Zürich %25")
            #expect(event.extra?["quoted"]?.string == #"a "b" A"#)
            #expect(event.extra?["loose"]?.string == "100% sure")
            #expect(event.priority == 3)
            #expect(event.json.contains(#""payload":{"n":1.0}"#))
        }
    }

    @Test(arguments: [
        ("application/json", "[1]", #"{"data":[1]}"#), ("application/vnd.x+json", "{}", "{}"),
        ("text/plain", "hello \"you\"", #"{"data":"hello \"you\""}"#),
        ("text/plain; charset=utf-8", "ü", #"{"data":"ü"}"#),
        ("text/plain; charset=iso-8859-1", "ab", #"{"data_base64":"YWI="}"#),
        ("application/xml", "<a/>", #"{"data":"<a/>"}"#),
        ("application/octet-stream", "abc", #"{"data_base64":"YWJj"}"#),
        ("", "{\"a\":1}", #"{"a":1}"#), ("", "no json", #"{"data":"no json"}"#), ("image/png", "", "{}"),
        ("application/x-ndjson", "{}\n{}", #"{"data_base64":"e30Ke30="}"#),
    ])
    func `data of any type is kept`(type: String, body: String, payload: String) async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.request(
                "POST", "/api/v1/events", headers: Self.binary(type.isEmpty ? [] : [("Content-Type", type)]), body: body
            )
            #expect(answer.status == 202, "\(answer.body)")
            let event = try await gateway.log.read(LogQuery())[0].event()
            #expect(event.json.contains("\"payload\":\(payload),"), "\(event.json)")
            #expect(event.extra?["datacontenttype"]?.string == (type.isEmpty ? nil : type))
        }
    }

    @Test(arguments: [
        ([("ce-type", "t"), ("ce-id", "1"), ("ce-source", "/s")], "missing_field", "specversion"),
        ([("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s")], "missing_field", "type"),
        ([("ce-specversion", "1.0"), ("ce-id", "%FF")], "invalid_attribute", "id"),
        ([("ce-specversion", "1.0"), ("ce-data", "x")], "invalid_attribute", "data"),
        ([("ce-specversion", "1.0"), ("ce-a-b", "x")], "invalid_attribute", "a-b"),
    ])
    func `wrong headers are named`(headers: [(String, String)], code: String, field: String) async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.request("POST", "/api/v1/events", headers: headers, body: "")
            #expect(answer.status == 400)
            #expect(try answer.object["code"]?.string == code, "\(answer.body)")
            #expect(try answer.object["field"]?.string == field, "\(answer.body)")
        }
    }

    @Test func `a body that should be JSON and is none is refused as data`() async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.request(
                "POST", "/api/v1/events", headers: Self.binary([("Content-Type", "application/json")]), body: "{")
            #expect(answer.status == 400)
            #expect(try answer.object["field"]?.string == "data")
        }
    }

    // MARK: Out

    @Test func `a list goes out as a batch where that is asked for`() async throws {
        try await GatewayHarness.run { gateway in
            try await gateway.publishTrades(1...250)
            let answer = try await gateway.request(
                "GET", "/api/v1/events?limit=1000", headers: [("Accept", "application/cloudevents-batch+json")])
            #expect(answer.headers.first(name: "content-type") == Self.batch)
            let wrapped = try JSONObject(json: #"{"a":\#(answer.body)}"#)
            let events = try #require(wrapped["a"]?.array)
            #expect(events.count == 250)
            #expect(events.map { $0.object?["tidingsoffset"]?.string } == (1...250).map { "\($0)" })
            #expect(events[0].object?["data"]?.object?["price"] == 1)
            for accept in ["*/*", "application/json", "\(Self.batch);q=0.5, application/json", "\(Self.batch);q=0"] {
                let plain = try await gateway.request("GET", "/api/v1/events", headers: [("Accept", accept)])
                #expect(try plain.object["events"] != nil, "\(accept)")
            }
        }
    }

    @Test func `a WebSocket of the subprotocol gets and sends CloudEvents`() async throws {
        try await GatewayHarness.run { gateway in
            let socket = try await gateway.socket(subprotocols: ["cloudevents.json"])
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"]}"#)
            try await socket.send(#"{"specversion":"1.0","id":"w-1","source":"/s","type":"t","data":"x"}"#)
            var event: JSONObject?
            var answer: JSONObject?
            while event == nil || answer == nil {
                let message = try #require(try await socket.next())
                if message["specversion"] == nil { answer = message } else { event = message }
            }
            #expect(answer?["data"]?.object?["event_id"]?.string == "w-1")
            #expect(answer?["id"]?.string == "w-1")
            #expect(event?["id"]?.string == "w-1")
            #expect(event?["data"]?.string == "x")
            #expect(event?["tidingsoffset"]?.string == "1")
            let refused = try await socket.ask(#"{"specversion":"1.0","id":"w-2","source":"/s","type":"no good"}"#)
            #expect(refused.contains(#""code":"invalid_type","field":"type""#))
            try await socket.close()
        }
    }
}
