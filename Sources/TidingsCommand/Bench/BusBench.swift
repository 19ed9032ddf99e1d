import Synchronization
import Tidings

/// `tidings bench bus`: creating, publishing and receiving events.
enum BusBench {
    static let all: [any BenchSubject] = [
        RateBench(
            name: "tap-batch-1", unit: "events/s", reference: Self.closureReference,
            work: { try Self.taps(1, batch: 64, $0) }, referenceWork: { BusReference.closures(1, $0) }),
        RateBench(
            name: "tap-batch-10", unit: "events/s", reference: "plain loop over ten closures, events created",
            work: { try Self.taps(10, batch: 64, $0) }, referenceWork: { BusReference.closures(10, $0) }),
        RateBench(
            name: "tap-single-1", unit: "events/s", reference: NodeEmitter.name,
            work: { try Self.singleTaps($0) }, referenceWork: { BusReference.closures(1, $0) },
            referenceRate: NodeEmitter.rate),
        RateBench(
            name: "batches-1", unit: "events/s", reference: Self.ringReference,
            work: { try await Self.batches(to: 1, $0) }, referenceWork: { BusReference.ring($0) }),
        RateBench(
            name: "batches-10", unit: "deliveries/s", reference: Self.ringReference,
            work: { try await Self.batches(to: 10, $0 / 10) }, referenceWork: { BusReference.ring($0) }),
        RateBench(
            name: "singles-1", unit: "events/s", reference: Self.ringReference,
            work: { try await Self.singles($0) }, referenceWork: { BusReference.ring($0) }),
        RateBench(
            name: "handler-1", unit: "events/s", reference: Self.closureReference,
            work: { try await Self.handlers($0) }, referenceWork: { BusReference.closures(1, $0) }),
        RateBench(
            name: "conflate-1", unit: "events/s", reference: Self.closureReference,
            work: { try await Self.conflation($0) }, referenceWork: { BusReference.closures(1, $0) }),
        RateBench(
            name: "subscriptions-1000", unit: "events/s", reference: "the same with one subscription",
            work: { try Self.manySubscriptions(1000, $0) }, referenceWork: { try Self.manySubscriptions(1, $0) }),
        LatencyBench(),
        UrgencyBench(),
        RateBench(
            name: "redaction", unit: "events/s", reference: "the same without redaction",
            work: { try Self.redaction(true, $0) }, referenceWork: { try Self.redaction(false, $0) }),
    ]

    private static let closureReference = "plain loop over one closure, events created"
    private static let ringReference = "bare ring buffer between two threads"

    private static func taps(_ count: Int, batch: Int, _ amount: Int) throws -> Int {
        let bus = MemoryEventBus()
        let sum = Counter()
        for _ in 0..<count {
            try bus.addTap(to: .type(.trade), name: "bench") { event in sum.add(event) }
        }
        let maker = TradeMaker()
        var done = 0
        while done < amount {
            try bus.tryPublish(maker.batch(batch))
            done += batch
        }
        precondition(sum.value == done * count, "a tap missed events")
        return done
    }

    private static func singleTaps(_ amount: Int) throws -> Int {
        let bus = MemoryEventBus()
        let sum = Counter()
        try bus.addTap(to: .type(.trade), name: "bench") { event in sum.add(event) }
        let maker = TradeMaker()
        for _ in 0..<amount { try bus.tryPublish(maker.trade()) }
        precondition(sum.value == amount, "a tap missed events")
        return amount
    }

    private static func batches(to consumers: Int, _ amount: Int) async throws -> Int {
        let bus = MemoryEventBus()
        let maker = TradeMaker()
        return try await Self.consume(bus, consumers) {
            var done = 0
            while done < amount {
                try await bus.publish(maker.batch(64))
                done += 64
            }
            return done
        }
    }

    private static func singles(_ amount: Int) async throws -> Int {
        let bus = MemoryEventBus()
        let maker = TradeMaker()
        return try await Self.consume(bus, 1) {
            for _ in 0..<amount { try await bus.publish(maker.trade()) }
            return amount
        }
    }

    /// Runs consumers that draw everything that `publish` publishes; returns how many events they saw together.
    private static func consume(
        _ bus: MemoryEventBus, _ consumers: Int, _ publish: () async throws -> Int
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<consumers {
                let batches = try bus.batches(
                    matching: .type(.trade), options: SubscriptionOptions(name: "bench \(number)", capacity: 16_384))
                group.addTask {
                    var seen = 0
                    for await element in batches { seen += element.events.count }
                    return seen
                }
            }
            let done = try await publish()
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
        let options = SubscriptionOptions(capacity: 16_384, deadline: .seconds(5), retry: RetryPolicy(attempts: 3))
        try bus.subscribe(to: .trade, options: options) { event in sum.add(event) }
        let maker = TradeMaker()
        var done = 0
        while done < amount {
            try await bus.publish(maker.batch(64))
            done += 64
        }
        await bus.stop()
        precondition(sum.value == done, "the handler missed events")
        return done
    }

    /// A hundred symbols, of which only the newest price counts.
    private static func conflation(_ amount: Int) async throws -> Int {
        let bus = MemoryEventBus()
        let batches = try bus.batches(
            matching: .type(.trade), options: SubscriptionOptions(name: "bench", overflow: .conflate(by: .symbol)))
        let makers = (0..<100).map { TradeMaker(symbol: Name("SYM\($0)-USD")) }
        async let seen = {
            var seen = 0
            for await element in batches { seen += element.events.count }
            return seen
        }()
        var done = 0
        while done < amount {
            try await bus.publish(EventBatch((0..<64).lazy.map { makers[(done + $0) % 100].trade() }))
            done += 64
        }
        await bus.stop()
        let conflated = Int(batches.subscription.statistics.conflated)
        let drawn = await seen
        precondition(drawn + conflated == done, "events went missing")
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
        let maker = TradeMaker()
        var done = 0
        while done < amount {
            try bus.tryPublish(maker.batch(64))
            done += 64
        }
        precondition(sum.value == done)
        return done
    }

    /// Scraping events, whose open payloads are searched for secrets.
    private static func redaction(_ isOn: Bool, _ amount: Int) throws -> Int {
        let bus = MemoryEventBus(ingress: isOn ? IngressChain() : IngressChain(redaction: nil))
        let sum = Counter()
        try bus.addTap(to: .type(.extractionFieldFound), name: "bench") { event in sum.add(event) }
        let payload = try StandardEvent(
            json: BenchEvents.openObject, defaults: EventDecodingDefaults(source: "bench")
        ).payload
        var done = 0
        while done < amount {
            try bus.tryPublish(
                EventBatch(
                    (0..<64).lazy.map { _ in
                        StandardEvent(eventType: .extractionFieldFound, source: "books", payload: payload)
                    }))
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

/// Makes trades as a connector does: the names known beforehand, id and time new for each.
struct TradeMaker: Sendable {
    private let source: Name = "hyperliquid"
    private let symbol: Name
    private let venueSymbol: Name = "BTC"

    init(symbol: Name = "BTC-USD") {
        self.symbol = symbol
    }

    @inline(__always)
    func trade() -> StandardEvent {
        let moment = Timestamp.now()
        return StandardEvent(
            eventType: .trade, source: self.source,
            payload: .trade(
                Trade(
                    symbol: self.symbol, price: ExactDecimal(mantissa: 5_000_000, scale: 2),
                    volume: ExactDecimal(mantissa: 15, scale: 1), timestamp: moment, side: .buy,
                    tradeID: TradeID(118_906_512_037_719),
                    context: MarketContext(
                        venueSymbol: self.venueSymbol, instrument: .perpetual, receivedAt: moment))),
            timestamp: moment)
    }

    @inline(__always)
    func batch(_ count: Int) -> EventBatch {
        EventBatch((0..<count).lazy.map { _ in self.trade() })
    }
}
