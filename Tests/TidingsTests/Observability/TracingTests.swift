import InMemoryTracing
import Testing
import TidingsTestSupport
import Tracing

@testable import Tidings

@Suite(.timeLimit(.minutes(1)))
struct TracingTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private static func event(_ type: EventType = .trade, extra: JSONObject? = nil) -> StandardEvent {
        var event = StandardEvent(eventType: type, source: "test", payload: ["symbol": "BTC-USD"])
        event.extra = extra
        return event
    }

    @Test(arguments: [
        (parent, true), ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", false),
        ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", true),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
        ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
        ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false), ("", false), ("00--b7ad-01", false),
        (String(repeating: "0", count: 100_000), false), ("00-é-b7ad6b7169203331-01", false),
    ])
    func `a traceparent is taken only if it is one`(text: String, isValid: Bool) {
        #expect((TracePosition(traceparent: text) != nil) == isValid)
    }

    @Test func `a tracestate goes along unless it is too long or strange`() {
        #expect(TracePosition(traceparent: Self.parent, tracestate: "a=b")?.tracestate == "a=b")
        #expect(TracePosition(traceparent: Self.parent, tracestate: "a=\n")?.tracestate == nil)
        #expect(
            TracePosition(traceparent: Self.parent, tracestate: String(repeating: "a", count: 513))?.tracestate == nil)
    }

    @Test func `without a tracer nothing is marked, and what is marked passes it on to its consequences`() async throws
    {
        let (bus, seen) = (MemoryEventBus(), Collector<StandardEvent>())
        #expect(EventTracer.current == nil)
        try bus.addHandler(to: .type(.trade), options: SubscriptionOptions(name: "deriver")) { _ in
            _ = try await bus.publish(Self.event(.ticker))
        }
        try bus.addTap(to: .type(.ticker)) { seen.add($0) }
        _ = try await bus.publishAndWait(Self.event())
        _ = try await bus.publishAndWait(Self.event(extra: ["traceparent": .string(Self.parent), "other": true]))
        await bus.stop()
        let tickers = seen.values
        #expect(tickers.map(\.tracePosition?.traceparent) == [nil, Self.parent])
        #expect(tickers.last?.extra?["other"] == nil)
        #expect(tickers.last?.extra?["causes"] != nil)
    }

    @Test func `what is published in a span carries its place, and its handler goes on from there`() async throws {
        let tracer = W3CTracer()
        let seen = Collector<StandardEvent>()
        try await withTracer(tracer) {
            let bus = MemoryEventBus()
            try bus.addHandler(to: .type(.trade), options: SubscriptionOptions(name: "worker")) { event in
                seen.add(event)
                _ = try await bus.publish(Self.event(.ticker))
            }
            try bus.addTap(to: .type(.ticker)) { seen.add($0) }
            _ = try withSpan("collecting") { _ in
                try bus.tryPublish(Self.event())
            }
            await bus.stop()
        }
        let outer = try #require(tracer.finished.first { $0.operationName == "collecting" })
        let handling = try #require(tracer.finished.first { $0.operationName == "process worker" })
        #expect(tracer.finished.count == 2)
        #expect(handling.traceID == outer.traceID)
        #expect(handling.parentSpanID == outer.spanID)
        #expect(handling.kind == .consumer)
        #expect(
            seen.values.map(\.tracePosition?.traceparent)
                == ["00-\(outer.traceID)-\(outer.spanID)-01", "00-\(handling.traceID)-\(handling.spanID)-01"])
    }

    @Test func `a handler's span continues what its event says, not the span of who subscribed`() async throws {
        struct Broken: Error {}
        let tracer = W3CTracer()
        try await withTracer(tracer) {
            let bus = MemoryEventBus()
            _ = try withSpan("subscribing") { _ in
                try bus.addHandler(to: .all, options: SubscriptionOptions(name: "worker")) { event in
                    if event.eventType == .ticker { throw Broken() }
                }
            }
            _ = try await bus.publishAndWait(Self.event(extra: ["traceparent": .string(Self.parent)]))
            _ = try await bus.publishAndWait(Self.event(.ticker))
            await bus.stop()
        }
        let calls = tracer.finished.filter { $0.operationName == "process worker" }
        let subscribing = try #require(tracer.finished.first { $0.operationName == "subscribing" })
        let (first, second) = (try #require(calls.first), try #require(calls.dropFirst().first))
        #expect(first.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(first.parentSpanID == "b7ad6b7169203331")
        #expect(first.errors.isEmpty)
        #expect(second.traceID != subscribing.traceID)
        #expect(second.parentSpanID == nil)
        #expect(second.errors.count == 1)
        #expect(second.status?.code == .error)
    }
}
