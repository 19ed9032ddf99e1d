import Synchronization

/// Somebody who gets events from a bus. Ends when ``cancel()`` is called or the bus goes away.
public final class Subscription: Sendable {
    public let id: UInt64
    public let name: String
    private let queue: EventQueue?
    private let onCancel: @Sendable () -> Void
    let counters = SubscriptionCounters()

    init(id: UInt64, name: String, queue: EventQueue?, onCancel: @escaping @Sendable () -> Void) {
        self.id = id
        self.name = name
        self.queue = queue
        self.onCancel = onCancel
    }

    /// A subscription for a bus of your own.
    ///
    /// - Parameter onCancel: ends it; may be called more than once, from any thread.
    public convenience init(id: UInt64, name: String, onCancel: @escaping @Sendable () -> Void) {
        self.init(id: id, name: name, queue: nil, onCancel: onCancel)
    }

    /// Takes no more events; what waits is dropped, a call that is under way ends by itself. Safe to call from inside
    /// the handler, and more than once.
    public func cancel() {
        self.onCancel()
    }

    public var statistics: SubscriptionStatistics {
        var statistics = SubscriptionStatistics()
        statistics.delivered = self.counters.delivered.load(ordering: .relaxed)
        statistics.failed = self.counters.failed.load(ordering: .relaxed)
        statistics.retried = self.counters.retried.load(ordering: .relaxed)
        statistics.dead = self.counters.dead.load(ordering: .relaxed)
        statistics.stuck = self.counters.stuck.load(ordering: .relaxed)
        if let queue = self.queue {
            let counters = queue.counters
            statistics.pending = counters.pending
            statistics.oldestAge = counters.oldestOffer.map {
                .nanoseconds(max(MonotonicClock.nanoseconds() - $0, 0))
            }
            statistics.dropped = counters.dropped
            statistics.conflated = counters.conflated
        }
        return statistics
    }

    /// How long its events waited between publishing and being handed over.
    package var latency: LatencyHistogram {
        self.queue?.counters.latency ?? LatencyHistogram()
    }

    /// How long calls of the handler took.
    package var durations: LatencyHistogram {
        self.counters.durations.withLock { $0 }
    }
}

/// What a subscription counts; raised by whoever calls its handler or tap.
final class SubscriptionCounters: Sendable {
    let delivered = Atomic<UInt64>(0)
    let failed = Atomic<UInt64>(0)
    let retried = Atomic<UInt64>(0)
    let dead = Atomic<UInt64>(0)
    let stuck = Atomic<Int>(0)
    let durations = Locked(LatencyHistogram())
}
