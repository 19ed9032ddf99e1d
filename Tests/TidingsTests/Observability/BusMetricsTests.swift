import CoreMetrics
import MetricsTestKit
import Testing

@testable import Tidings

@Suite(.timeLimit(.minutes(1)))
struct BusMetricsTests {
    private struct Broken: Error {}

    private static func event(_ number: Int, type: EventType = .trade) -> StandardEvent {
        StandardEvent(eventType: type, source: "test", payload: ["number": .number(ExactDecimal(number))])
    }

    @Test func `each report adds what has changed since the one before`() async throws {
        let (bus, backend) = (MemoryEventBus(), TestMetrics())
        let metrics = BusMetrics(bus: bus, factory: backend)
        try bus.addTap(to: .all, name: "tap") { _ in }
        try bus.addTap(to: .type(.ticker), name: "broken") { _ in throw Broken() }
        try bus.tryPublish(EventBatch((0..<3).map { Self.event($0) }))
        metrics.flush()
        let trades = try backend.expectCounter("tidings_events_published_total", [("type", "trade")])
        #expect(trades.totalValue == 3)
        #expect(try backend.expectCounter("tidings_events_delivered_total").totalValue == 3)
        let known = Self.event(9, type: .ticker)
        try bus.tryPublish(known)
        try bus.tryPublish(known)
        metrics.flush()
        metrics.flush()
        #expect(trades.values == [3])
        #expect(backend.counterTotal(label: "tidings_events_published_total", dimensions: [("type", "ticker")]) == 1)
        #expect(try backend.expectCounter("tidings_events_duplicates_total").totalValue == 1)
        #expect(try backend.expectCounter("tidings_events_failed_total").totalValue == 1)
        let labels = [("subscriber", "broken")]
        #expect(try backend.expectCounter("tidings_subscription_failed_total", labels).totalValue == 1)
        #expect(
            try backend.expectCounter("tidings_subscription_delivered_total", [("subscriber", "tap")]).totalValue
                == bus.statistics.delivered.asInt64)
    }

    @Test func `what waits, and for how long, is told and goes away with its subscription`() async throws {
        let (bus, backend) = (MemoryEventBus(), TestMetrics())
        let metrics = BusMetrics(bus: bus, factory: backend)
        let batches = try bus.batches(
            matching: .all, options: SubscriptionOptions(name: "slow", capacity: 2, overflow: .dropOldest))
        for number in 0..<5 { try bus.tryPublish(Self.event(number)) }
        metrics.flush()
        let labels = [("subscriber", "slow")]
        let pending = try backend.expectMeter("tidings_subscription_pending_events", labels)
        let lag = try backend.expectMeter("tidings_subscription_lag_seconds", labels)
        #expect(pending.lastValue == 2)
        #expect(try #require(lag.lastValue) > 0)
        #expect(try backend.expectCounter("tidings_subscription_dropped_total", labels).totalValue == 3)
        batches.subscription.cancel()
        metrics.flush()
        #expect(pending.lastValue == 0)
        #expect(lag.lastValue == 0)
        // What an ended subscription did stays in the totals.
        #expect(try backend.expectCounter("tidings_events_dropped_total").totalValue >= 3)
    }

    @Test func `calls of handlers are told as durations`() async throws {
        let (bus, backend) = (MemoryEventBus(), TestMetrics())
        let metrics = BusMetrics(bus: bus, factory: backend)
        try bus.addHandler(to: .all, options: SubscriptionOptions(name: "worker")) { _ in
            try await Task.sleep(for: .milliseconds(2))
        }
        for number in 0..<3 { _ = try await bus.publishAndWait(Self.event(number)) }
        await bus.stop()
        metrics.flush()
        metrics.flush()
        let timer = try backend.expectTimer("tidings_handler_duration_seconds", [("subscriber", "worker")])
        #expect(timer.values.count == 3)
        #expect(timer.values.allSatisfy { $0 >= 2_000_000 })
    }

    @Test func `of very many calls about a thousand are told, the rare slow ones among them`() throws {
        let backend = TestMetrics()
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: 1000, times: 1_000_000)
        histogram.record(nanoseconds: 2000, times: 1_000_000)
        histogram.record(nanoseconds: 1_000_000_000)
        let bus = StillBus(
            BusSnapshot(
                statistics: BusStatistics(),
                subscriptions: [
                    SubscriptionSnapshot(name: "busy", statistics: SubscriptionStatistics(), handling: histogram)
                ]))
        BusMetrics(bus: bus, factory: backend).flush()
        let timer = try backend.expectTimer("tidings_handler_duration_seconds", [("subscriber", "busy")])
        #expect((900...1100).contains(timer.values.count))
        #expect(timer.values.filter { $0 > 900_000_000 }.count == 1)
        #expect(abs(timer.values.filter { $0 < 1200 }.count - 500) < 10)
    }

    @Test func `a log that is behind is told`() throws {
        let backend = TestMetrics()
        let bus = StillBus(
            BusSnapshot(statistics: BusStatistics(), log: LogLag(pending: 7, oldestAge: .milliseconds(1500))))
        BusMetrics(bus: bus, factory: backend).flush()
        #expect(try backend.expectMeter("tidings_log_pending_events").lastValue == 7)
        #expect(try backend.expectMeter("tidings_log_lag_seconds").lastValue == 1.5)
    }

    @Test func `labels are bounded, and one that has a place keeps it`() throws {
        let backend = TestMetrics()
        var statistics = BusStatistics()
        statistics.byType = ["zebra": 5]
        let bus = StillBus(BusSnapshot(statistics: statistics))
        let metrics = BusMetrics(bus: bus, factory: backend)
        metrics.flush()
        for number in 0..<1000 { statistics.byType["type.\(number)"] = 2 }
        statistics.byType["zebra"] = 6
        bus.set(BusSnapshot(statistics: statistics))
        metrics.flush()
        let counters = backend.counters(label: "tidings_events_published_total")
        #expect(counters.count == 101)
        #expect(counters.map(\.totalValue).reduce(0, +) == 2006)
        #expect(
            backend.counterTotal(label: "tidings_events_published_total", dimensions: [("type", "zebra")]) == 6)
        #expect(
            backend.counterTotal(label: "tidings_events_published_total", dimensions: [("type", "other")]) == 901 * 2)
    }

    @Test func `subscriptions of one name are one, and one that comes back starts anew`() throws {
        let backend = TestMetrics()
        func snapshot(_ delivered: UInt64...) -> BusSnapshot {
            BusSnapshot(
                statistics: BusStatistics(),
                subscriptions: delivered.map { count in
                    var statistics = SubscriptionStatistics()
                    statistics.delivered = count
                    return SubscriptionSnapshot(name: "twin", statistics: statistics)
                })
        }
        let bus = StillBus(snapshot(3, 4))
        let metrics = BusMetrics(bus: bus, factory: backend)
        metrics.flush()
        bus.set(snapshot(2))
        metrics.flush()
        let counter = try backend.expectCounter("tidings_subscription_delivered_total", [("subscriber", "twin")])
        #expect(counter.values == [7, 2])
    }

    @Test func `the service reports until it is cancelled, and once more then`() async throws {
        let (bus, backend) = (MemoryEventBus(), TestMetrics())
        let metrics = BusMetrics(bus: bus, interval: .seconds(3600), factory: backend)
        let service = Task { await metrics.run() }
        try bus.tryPublish(Self.event(1))
        service.cancel()
        await service.value
        #expect(backend.counterTotal(label: "tidings_events_published_total") == 1)
    }
}

/// A bus that tells what it was told to.
private final class StillBus: EventBus {
    private let told: Locked<BusSnapshot>

    init(_ snapshot: BusSnapshot) {
        self.told = Locked(snapshot)
    }

    func set(_ snapshot: BusSnapshot) { self.told.withLock { $0 = snapshot } }

    var snapshot: BusSnapshot { self.told.withLock { $0 } }
    var statistics: BusStatistics { self.snapshot.statistics }

    func tryPublish(_ batch: EventBatch) throws(EventBusError) -> PublishReport { throw Self.refusal }
    func publish(_ batch: EventBatch) async throws(EventBusError) -> PublishReport { throw Self.refusal }

    func addTap(
        to filter: EventFilter, name: String, _ tap: @escaping @Sendable (StandardEvent) throws -> Void
    ) throws(EventBusError) -> Subscription { throw Self.refusal }

    func addHandler(
        to filter: EventFilter, options: SubscriptionOptions,
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) throws(EventBusError) -> Subscription { throw Self.refusal }

    func batches(matching filter: EventFilter, options: SubscriptionOptions) throws(EventBusError) -> EventBatches {
        throw Self.refusal
    }

    func isListening(to type: EventType) -> Bool { false }
    func stop() async {}

    private static var refusal: EventBusError { EventBusError(.stopped, "takes nothing") }
}

extension UInt64 {
    fileprivate var asInt64: Int64 { Int64(clamping: self) }
}
