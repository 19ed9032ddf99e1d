import Synchronization

/// Somebody who gets events from a bus. Ends when ``cancel()`` is called or the bus goes away.
public final class Subscription: Sendable {
    public let id: UInt64
    public let name: String
    private let queue: EventQueue?
    private let onCancel: @Sendable () -> Void
    let deliveredCount = Atomic<UInt64>(0)
    let failedCount = Atomic<UInt64>(0)

    init(id: UInt64, name: String, queue: EventQueue?, onCancel: @escaping @Sendable () -> Void) {
        self.id = id
        self.name = name
        self.queue = queue
        self.onCancel = onCancel
    }

    /// Takes no more events; what waits is dropped, a call that is under way ends by itself. Safe to call from inside
    /// the handler, and more than once.
    public func cancel() {
        self.onCancel()
    }

    public var statistics: SubscriptionStatistics {
        var statistics = SubscriptionStatistics()
        statistics.delivered = self.deliveredCount.load(ordering: .relaxed)
        statistics.failed = self.failedCount.load(ordering: .relaxed)
        if let queue = self.queue {
            let counters = queue.counters
            statistics.pending = counters.pending
            statistics.dropped = counters.dropped
        }
        return statistics
    }

    var latency: LatencyHistogram {
        self.queue?.counters.latency ?? LatencyHistogram()
    }
}
