import Synchronization
import Tidings

/// `tidings bench bus`: creating, publishing and receiving events.
enum BusBench {
    static let all: [any BenchSubject] = [
        RateBench(
            name: "tap-batch-1", unit: "events/s", reference: "plain loop over one closure, events created",
            work: { try Self.taps(1, batch: 64, $0) }, referenceWork: { Self.closures(1, $0) }),
        RateBench(
            name: "tap-batch-10", unit: "events/s", reference: "plain loop over ten closures, events created",
            work: { try Self.taps(10, batch: 64, $0) }, referenceWork: { Self.closures(10, $0) }),
        RateBench(
            name: "tap-single-1", unit: "events/s", reference: "plain loop over one closure, events created",
            work: { try Self.taps(1, batch: 1, $0) }, referenceWork: { Self.closures(1, $0) }),
        RateBench(
            name: "batches-1", unit: "deliveries/s", reference: "plain loop over one closure, events created",
            work: { try await Self.batches(to: 1, batch: 64, $0) }, referenceWork: { Self.closures(1, $0) }),
        RateBench(
            name: "batches-10", unit: "deliveries/s", reference: "plain loop over ten closures, events created",
            work: { try await Self.batches(to: 10, batch: 64, $0 / 10) },
            referenceWork: { Self.closures(10, $0 / 10) * 10 }),
        RateBench(
            name: "singles-1", unit: "events/s", reference: "plain loop over one closure, events created",
            work: { try await Self.batches(to: 1, batch: 1, $0) }, referenceWork: { Self.closures(1, $0) }),
        RateBench(
            name: "handler-1", unit: "events/s", reference: "plain loop over one closure, events created",
            work: { try await Self.handlers($0) }, referenceWork: { Self.closures(1, $0) }),
        RateBench(
            name: "subscriptions-1000", unit: "events/s", reference: "the same with one subscription",
            work: { try Self.manySubscriptions(1000, $0) }, referenceWork: { try Self.manySubscriptions(1, $0) }),
        LatencyBench(),
    ]

    /// Fresh events in batches.
    @inline(__always)
    static func makeBatch(_ size: Int) -> EventBatch {
        EventBatch((0..<size).lazy.map { _ in BenchEvents.makeTrade(at: .now()) })
    }

    private static func taps(_ count: Int, batch: Int, _ amount: Int) throws -> Int {
        let bus = MemoryEventBus()
        let sum = Counter()
        for _ in 0..<count {
            try bus.addTap(to: .type(.trade), name: "bench") { event in sum.add(event) }
        }
        var done = 0
        while done < amount {
            try bus.tryPublish(Self.makeBatch(batch))
            done += batch
        }
        precondition(sum.value == done * count, "a tap missed events")
        return done
    }

    private static func closures(_ count: Int, _ amount: Int) -> Int {
        let sum = Counter()
        let handlers: [@Sendable (StandardEvent) -> Void] = (0..<count).map { _ in { event in sum.add(event) } }
        for _ in 0..<amount {
            let event = BenchEvents.makeTrade(at: .now())
            for handler in handlers { handler(event) }
        }
        precondition(sum.value == amount * count)
        return amount
    }

    private static func batches(to consumers: Int, batch: Int, _ amount: Int) async throws -> Int {
        let bus = MemoryEventBus()
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<consumers {
                let batches = try bus.batches(
                    matching: .type(.trade), options: SubscriptionOptions(name: "bench \(number)", capacity: 16_384))
                group.addTask {
                    var seen = 0
                    for await element in batches { seen += element.events.count }
                    return seen
                }
            }
            var done = 0
            while done < amount {
                try await bus.publish(Self.makeBatch(batch))
                done += batch
            }
            await bus.stop()
            var seen = 0
            for try await count in group { seen += count }
            precondition(seen == done * consumers, "a consumer missed events")
            return seen
        }
    }

    private static func handlers(_ amount: Int) async throws -> Int {
        let bus = MemoryEventBus()
        let sum = Counter()
        try bus.subscribe(to: .trade, options: SubscriptionOptions(capacity: 16_384)) { event in sum.add(event) }
        var done = 0
        while done < amount {
            try await bus.publish(Self.makeBatch(64))
            done += 64
        }
        await bus.stop()
        precondition(sum.value == done, "the handler missed events")
        return done
    }

    /// One subscription takes the events; the others wait for other types, sources and symbols.
    private static func manySubscriptions(_ count: Int, _ amount: Int) throws -> Int {
        let bus = MemoryEventBus()
        let sum = Counter()
        try bus.addTap(to: .type(.trade), name: "bench") { event in sum.add(event) }
        for number in 1..<max(count, 1) {
            let pattern: EventTypePattern =
                switch number % 3 {
                case 0: "login.*"
                case 1: .exact(EventType(rawValue: "custom.\(number)"))
                default: .exact(EventType(rawValue: "other-\(number)"))
                }
            try bus.addTap(to: EventFilter(types: [pattern]), name: "bench \(number)") { event in sum.add(event) }
        }
        var done = 0
        while done < amount {
            try bus.tryPublish(Self.makeBatch(64))
            done += 64
        }
        precondition(sum.value == done)
        return done
    }
}

/// Counts events so that no optimiser can leave them out; for one thread at a time.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    @inline(__always)
    func add(_ event: borrowing StandardEvent) {
        self.count.store(
            self.count.load(ordering: .relaxed) &+ (event.priority == .normal ? 1 : 2), ordering: .relaxed)
    }

    var value: Int { self.count.load(ordering: .acquiring) }
}

/// How long it takes from publishing to the start of the handler, at 10,000 events a second.
private struct LatencyBench: BenchSubject {
    let name = "latency-p99"

    func measure(within budget: Duration) async throws -> BenchFigure {
        let runs = 5
        let amount = max(Int(budget / .seconds(1) * 10_000) / (runs * 2), 500)
        var (values, references): ([Double], [Double]) = ([], [])
        for _ in 0..<runs {
            values.append(try await Self.handlerLatency(amount))
            references.append(Self.callLatency(amount))
        }
        return BenchFigure(
            name: self.name, value: values.median, unit: "us", reference: "direct call of a closure",
            referenceValue: references.median, runs: runs)
    }

    private static func handlerLatency(_ amount: Int) async throws -> Double {
        let bus = MemoryEventBus()
        let histogram = Locked(LatencyHistogram())
        try bus.subscribe(to: .custom) { event in
            let now = MonotonicClock.nanoseconds()
            guard let sent = event.payload["t"]?.int else { return }
            histogram.withLock { $0.record(nanoseconds: now - Int64(sent)) }
        }
        var next = MonotonicClock.nanoseconds()
        for _ in 0..<amount {
            next += 100_000
            while MonotonicClock.nanoseconds() < next {}
            let sent = ExactDecimal(mantissa: MonotonicClock.nanoseconds())
            try bus.tryPublish(StandardEvent(eventType: .custom, source: "bench", payload: ["t": .number(sent)]))
        }
        await bus.stop()
        return Double(histogram.withLock { $0.quantile(0.99) }) / 1000
    }

    private static func callLatency(_ amount: Int) -> Double {
        var histogram = LatencyHistogram()
        let handler: @Sendable (Int64) -> Int64 = { sent in MonotonicClock.nanoseconds() - sent }
        for _ in 0..<amount { histogram.record(nanoseconds: handler(MonotonicClock.nanoseconds())) }
        return Double(histogram.quantile(0.99)) / 1000
    }
}
