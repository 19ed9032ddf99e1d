import InMemoryTracing
import Testing
import Tidings
import TidingsTestSupport
import Tracing

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct IngestTracingTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    private static let own = "00-11111111111111111111111111111111-2222222222222222-00"

    private static func post(_ gateway: GatewayHarness, _ body: String, traceparent: String) async throws {
        let answer = try await gateway.request(
            "POST", "/api/v1/events",
            headers: [("Content-Type", "application/json"), ("traceparent", traceparent), ("tracestate", "a=b")],
            body: body)
        #expect(answer.status == 202)
    }

    private static func extras(_ gateway: GatewayHarness) async throws -> [JSONObject?] {
        try await gateway.log.read(LogQuery()).map { try $0.event().extra }
    }

    @Test func `the traceparent of a request goes into its events, unless they have one`() async throws {
        try await GatewayHarness.run { gateway in
            try await Self.post(
                gateway, #"[{"event_type":"custom"},{"event_type":"custom","traceparent":"\#(Self.own)"}]"#,
                traceparent: Self.parent)
            try await Self.post(gateway, #"{"event_type":"custom"}"#, traceparent: "rubbish")
            let extras = try await Self.extras(gateway)
            #expect(extras.map { $0?["traceparent"]?.string } == [Self.parent, Self.own, nil])
            #expect(extras.map { $0?["tracestate"]?.string } == ["a=b", nil, nil])
        }
    }

    @Test func `with a tracer a request, its publishing and its handlers are one trace`() async throws {
        let tracer = W3CTracer()
        try await withTracer(tracer) {
            try await GatewayHarness.run { gateway in
                try gateway.bus.addHandler(to: .all, options: SubscriptionOptions(name: "worker")) { _ in }
                try await Self.post(gateway, #"{"event_type":"custom"}"#, traceparent: Self.parent)
                try await Self.post(
                    gateway, #"{"event_type":"custom","traceparent":"\#(Self.own)"}"#, traceparent: Self.parent)
                try await eventually("both handled") { gateway.bus.statistics.delivered == 2 }
                let bad = try await gateway.request(
                    "POST", "/api/v1/events", headers: [("Content-Type", "text/plain")], body: "x")
                #expect(bad.status == 415)
            }
        }
        let spans = tracer.finished
        let requests = spans.filter { $0.operationName == "POST /api/v1/events" }
        let publishing = try #require(spans.first { $0.operationName == "publish events" })
        let handling = spans.filter { $0.operationName == "process worker" }
        #expect(requests.count == 3)
        #expect(requests[0].kind == .server)
        #expect(requests[0].traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(requests[0].parentSpanID == "b7ad6b7169203331")
        #expect(publishing.parentSpanID == requests[0].spanID)
        #expect(handling.map(\.traceID) == [requests[0].traceID, String(repeating: "1", count: 32)])
        #expect(handling[0].parentSpanID == publishing.spanID)
        #expect(requests[2].attributes["http.response.status_code"]?.toSpanAttribute() == .int64(415))
        #expect(requests[2].status == nil)
    }
}
