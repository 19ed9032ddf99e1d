public import CoreMetrics

/// Tells a metrics backend what a bus counts.
///
/// A bus keeps counters of its own, which cost its publishers nothing; once a second, and whenever ``flush()`` is called,
/// this moves what has changed since into the handles of swift-metrics. The handles are made once for each label.
///
/// | name | kind | labels | what |
/// |---|---|---|---|
/// | `tidings_events_published_total` | counter | `type` | events accepted |
/// | `tidings_events_duplicates_total` | counter | | events that were known already |
/// | `tidings_events_refused_total` | counter | | events refused because somebody was full |
/// | `tidings_events_delivered_total` | counter | | events handled or drawn, once for each subscription |
/// | `tidings_events_dropped_total` | counter | | events that a full subscription gave up |
/// | `tidings_events_conflated_total` | counter | | events that a newer one of the same key replaced |
/// | `tidings_events_failed_total` | counter | | calls of handlers and taps that threw or overran their deadline |
/// | `tidings_events_retried_total` | counter | | calls of handlers made again after a failure |
/// | `tidings_events_dead_total` | counter | | events that became dead letters |
/// | `tidings_subscription_delivered_total` and so on, as the six above | counter | `subscriber` | the same for one subscription |
/// | `tidings_subscription_pending_events` | meter | `subscriber` | events that wait |
/// | `tidings_subscription_lag_seconds` | meter | `subscriber` | how long the oldest of them has waited |
/// | `tidings_subscription_stuck_calls` | meter | `subscriber` | calls of handlers that do not return |
/// | `tidings_handler_duration_seconds` | timer | `subscriber` | how long calls of the handler took |
/// | `tidings_log_pending_events` | meter | | events published and not committed yet |
/// | `tidings_log_lag_seconds` | meter | | how long the oldest of them has waited |
///
/// Names are stable. At most 100 types and 100 subscribers have labels of their own, the rest is `other`; subscriptions of
/// one name are one. A duration is told at most 12.5 % too long; of very many within one second only about a thousand are
/// told, in proportion, and at least one of each size.
public final class BusMetrics: Sendable {
    private struct State: ~Copyable {
        var types = BoundedLabels()
        var subscribers = BoundedLabels()
        var published: [String: CounterHandle] = [:]
        var totals: [CounterHandle]
        var subscriptions: [String: SubscriptionHandles] = [:]
        let logPending: Meter
        let logLag: Meter
    }

    private let bus: any EventBus
    private let interval: Duration
    private let factory: any MetricsFactory
    private let state: Locked<State>

    /// - Parameters:
    ///   - interval: between two reports.
    ///   - factory: the backend; the one that the program was bootstrapped with unless given.
    public init(
        bus: any EventBus, interval: Duration = .seconds(1), factory: any MetricsFactory = MetricsSystem.factory
    ) {
        self.bus = bus
        self.interval = interval
        self.factory = factory
        self.state = Locked(
            State(
                totals: BusTotal.allCases.map { CounterHandle("tidings_events_\($0)_total", [], factory) },
                logPending: Meter(label: "tidings_log_pending_events", factory: factory),
                logLag: Meter(label: "tidings_log_lag_seconds", factory: factory)))
    }

    /// Reports at each interval until the task is cancelled, and once more then.
    public func run() async {
        while !Task.isCancelled {
            self.flush()
            try? await Task.sleep(for: self.interval)
        }
        self.flush()
    }

    /// Reports what has changed since the last time, now. Safe to call from any thread.
    public func flush() {
        // Under the lock, so that of two reports the later one is not overtaken.
        self.state.withLock { state in
            let snapshot = self.bus.snapshot
            for (type, count) in state.types.labelled(snapshot.statistics.byType) {
                state.published[
                    type, default: CounterHandle("tidings_events_published_total", [("type", type)], self.factory)
                ].advance(to: count)
            }
            for (place, total) in BusTotal.allCases.enumerated() {
                state.totals[place].advance(to: total.value(in: snapshot.statistics))
            }
            var ended = Set(state.subscriptions.keys)
            for subscription in state.subscribers.labelled(snapshot.subscriptions) {
                ended.remove(subscription.name)
                state.subscriptions[
                    subscription.name, default: SubscriptionHandles(subscription.name, self.factory)
                ].advance(to: subscription)
            }
            for name in ended { state.subscriptions[name]?.end() }
            if let log = snapshot.log {
                state.logPending.set(log.pending)
                state.logLag.set(log.oldestAge?.fractionalSeconds ?? 0)
            }
        }
    }
}

/// A counter of a backend, and what it was told last.
struct CounterHandle: Sendable {
    private let counter: Counter
    private var last: UInt64 = 0

    init(_ label: String, _ dimensions: [(String, String)], _ factory: any MetricsFactory) {
        self.counter = Counter(label: label, dimensions: dimensions, factory: factory)
    }

    /// A count that has become lower has started anew.
    mutating func advance(to count: UInt64) {
        let difference = count >= self.last ? count - self.last : count
        self.last = count
        if difference > 0 { self.counter.increment(by: Int64(clamping: difference)) }
    }
}

/// What a backend is told of one subscription.
private struct SubscriptionHandles: Sendable {
    private var totals: [CounterHandle]
    private let pending: Meter
    private let lag: Meter
    private let stuck: Meter
    private let duration: Timer
    private var handling = LatencyHistogram()

    init(_ name: String, _ factory: any MetricsFactory) {
        let labels = [("subscriber", name)]
        self.totals = SubscriptionTotal.allCases.map {
            CounterHandle("tidings_subscription_\($0)_total", labels, factory)
        }
        self.pending = Meter(label: "tidings_subscription_pending_events", dimensions: labels, factory: factory)
        self.lag = Meter(label: "tidings_subscription_lag_seconds", dimensions: labels, factory: factory)
        self.stuck = Meter(label: "tidings_subscription_stuck_calls", dimensions: labels, factory: factory)
        self.duration = Timer(label: "tidings_handler_duration_seconds", dimensions: labels, factory: factory)
    }

    mutating func advance(to subscription: SubscriptionSnapshot) {
        for (place, total) in SubscriptionTotal.allCases.enumerated() {
            self.totals[place].advance(to: total.value(in: subscription.statistics))
        }
        self.pending.set(subscription.statistics.pending)
        self.lag.set(subscription.statistics.oldestAge?.fractionalSeconds ?? 0)
        self.stuck.set(subscription.statistics.stuck)
        let calls = subscription.handling.since(self.handling)
        self.handling = subscription.handling
        calls.tell(self.duration)
    }

    /// The subscription is gone: nothing waits there any more.
    mutating func end() {
        self.pending.set(0)
        self.lag.set(0)
        self.stuck.set(0)
        self.handling = LatencyHistogram()
    }
}

extension LatencyHistogram {
    /// About so many durations are told of one interval.
    private static let largestReport: UInt64 = 1000

    /// Tells a backend of the durations, of very many only a share of each size.
    func tell(_ timer: Timer) {
        let share = max(self.total / Self.largestReport, 1)
        for (nanoseconds, times) in self.recorded {
            for _ in 0..<(times + share - 1) / share { timer.recordNanoseconds(nanoseconds) }
        }
    }
}
