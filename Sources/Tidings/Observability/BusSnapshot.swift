/// What a bus has done and what it is doing, at one moment: what metrics are made of.
public struct BusSnapshot: Sendable {
    public var statistics: BusStatistics
    /// The subscriptions there are, in the order in which they are handed events. Names may repeat.
    public var subscriptions: [SubscriptionSnapshot]
    /// How far the log is behind; `nil` where none is attached.
    public var log: LogLag?

    public init(statistics: BusStatistics, subscriptions: [SubscriptionSnapshot] = [], log: LogLag? = nil) {
        self.statistics = statistics
        self.subscriptions = subscriptions
        self.log = log
    }
}

/// One subscription, at one moment.
public struct SubscriptionSnapshot: Sendable {
    public var name: String
    public var statistics: SubscriptionStatistics
    /// How long its events waited between publishing and being handed over.
    public var latency: LatencyHistogram
    /// How long calls of its handler took; empty for taps and for who draws batches.
    public var handling: LatencyHistogram

    public init(
        name: String, statistics: SubscriptionStatistics, latency: LatencyHistogram = LatencyHistogram(),
        handling: LatencyHistogram = LatencyHistogram()
    ) {
        self.name = name
        self.statistics = statistics
        self.latency = latency
        self.handling = handling
    }

    /// Adds what another subscription did, as if both were one.
    mutating func add(_ other: SubscriptionSnapshot) {
        let theirs = other.statistics
        self.statistics.pending += theirs.pending
        self.statistics.oldestAge = [self.statistics.oldestAge, theirs.oldestAge].compactMap(\.self).max()
        self.statistics.delivered += theirs.delivered
        self.statistics.failed += theirs.failed
        self.statistics.retried += theirs.retried
        self.statistics.dead += theirs.dead
        self.statistics.dropped += theirs.dropped
        self.statistics.conflated += theirs.conflated
        self.statistics.stuck += theirs.stuck
        self.latency.add(other.latency)
        self.handling.add(other.handling)
    }
}

/// What was published and is not in the log yet.
public struct LogLag: Sendable {
    /// Events that wait for their commit.
    public var pending: Int
    /// How long the one that waits longest has waited; `nil` when nothing waits.
    public var oldestAge: Duration?
    /// How long events waited between publishing and their commit.
    public var latency: LatencyHistogram

    public init(pending: Int, oldestAge: Duration? = nil, latency: LatencyHistogram = LatencyHistogram()) {
        self.pending = pending
        self.oldestAge = oldestAge
        self.latency = latency
    }

    /// - Parameter oldestOffer: when the one that waits longest was published, on our monotonic clock.
    init(pending: Int, oldestOffer: Int64?, latency: LatencyHistogram) {
        self.init(
            pending: pending,
            oldestAge: oldestOffer.map { .nanoseconds(max(MonotonicClock.nanoseconds() - $0, 0)) }, latency: latency)
    }
}

extension EventBus {
    /// A bus that tells nothing but its counters.
    public var snapshot: BusSnapshot { BusSnapshot(statistics: self.statistics) }
}

extension MemoryEventBus {
    public var snapshot: BusSnapshot {
        BusSnapshot(
            statistics: self.statistics,
            subscriptions: self.subscriptions.map {
                SubscriptionSnapshot(
                    name: $0.name, statistics: $0.statistics, latency: $0.latency, handling: $0.durations)
            },
            log: self.logStage?.lag)
    }
}

extension Duration {
    /// In seconds.
    package var fractionalSeconds: Double {
        let (seconds, attoseconds) = self.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
