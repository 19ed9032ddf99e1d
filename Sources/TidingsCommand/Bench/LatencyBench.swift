import Tidings

/// How long it takes from publishing to the start of the handler, at 10,000 events a second.
struct LatencyBench: BenchSubject {
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

/// How long an urgent event takes to its handler while 100,000 others wait there.
struct UrgencyBench: BenchSubject {
    let name = "urgent-behind-backlog"

    func measure(within budget: Duration) async throws -> BenchFigure {
        let runs = 5
        var (values, references): ([Double], [Double]) = ([], [])
        for _ in 0..<runs {
            let (urgent, all) = try await Self.run()
            values.append(urgent)
            references.append(all)
        }
        return BenchFigure(
            name: self.name, value: values.median, unit: "us", reference: "an event that waits its turn behind them",
            referenceValue: references.median, runs: runs)
    }

    /// Microseconds to the handling of the urgent event, and to that of the last of the others.
    private static func run() async throws -> (Double, Double) {
        let bus = MemoryEventBus()
        let times = Locked((urgent: Int64(0), last: Int64(0), isUrgentNext: false))
        let (started, go) = (AsyncStream.makeStream(of: Void.self), AsyncStream.makeStream(of: Void.self))
        let options = SubscriptionOptions(name: "bench", capacity: 200_000)
        try bus.subscribe(to: "*", options: options) { event in
            if event.eventType == .custom {
                started.continuation.finish()
                for await _ in go.stream {}
                return
            }
            let now = MonotonicClock.nanoseconds()
            times.withLock { times in
                if event.priority == .critical {
                    times.isUrgentNext = times.last == 0
                    times.urgent = now
                } else {
                    times.last = now
                }
            }
        }
        // The first of a batch is held in its handler; the rest of it and 100,000 more wait.
        let maker = TradeMaker()
        let first = StandardEvent(eventType: .custom, source: "bench", payload: .empty)
        try bus.tryPublish(EventBatch([first] + (0..<63).map { _ in maker.trade() }))
        for await _ in started.stream {}
        for _ in 0..<(100_000 / 64) { try bus.tryPublish(maker.batch(64)) }
        let start = MonotonicClock.nanoseconds()
        try bus.tryPublish(
            StandardEvent(eventType: .error, source: "bench", payload: ["error_code": "X"], priority: .critical))
        go.continuation.finish()
        await bus.stop()
        let result = times.withLock { $0 }
        precondition(result.isUrgentNext, "something less urgent came first")
        return (Double(result.urgent - start) / 1000, Double(result.last - start) / 1000)
    }
}
