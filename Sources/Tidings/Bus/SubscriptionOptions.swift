/// How a subscription queues, and how its handler is called.
///
/// Whoever draws batches itself needs only ``name``, ``capacity`` and ``overflow``; the rest is for handlers.
public struct SubscriptionOptions: Sendable {
    /// What happens to an event that finds its subscription full.
    public enum Overflow: Sendable {
        /// Its publisher waits (`publish`) or is refused (`tryPublish`).
        case wait
        /// The oldest waiting event of the least urgent lane goes.
        case dropOldest
        /// The new event goes.
        case dropNewest
        /// A waiting event of the same key is replaced at once, full or not, and the replacement moves to the tail; what
        /// finds no room all the same drives out the oldest.
        case conflate(by: EventKey)
    }

    /// How many calls of a handler run at the same time.
    public enum Concurrency: Sendable {
        /// One after the other, in order.
        case serial
        /// Up to so many at once, started in order.
        case parallel(Int)
        /// Up to so many at once, but one after the other and in order for events of the same key.
        case keyed(Int, by: EventKey)
    }

    /// What the subscription is called in counters, logs, errors and dead letters: keep it unique where dead letters are
    /// to be retried.
    public var name: String
    /// The most events that wait; counted in events that match.
    public var capacity: Int
    public var overflow: Overflow
    /// Handlers of a lower number are handed an event, and get a thread, first.
    public var priority: EventPriority
    /// How long one call of the handler may take, without the time it spends waiting in `publish`. Then its task is
    /// cancelled; `nil` for as long as it likes.
    public var deadline: Duration?
    /// How long a cancelled call has to return before its event is given up as a dead letter and the subscription counts
    /// as stuck.
    public var grace: Duration
    public var concurrency: Concurrency
    public var retry: RetryPolicy

    public init(
        name: String = "handler", capacity: Int = 65_536, overflow: Overflow = .wait,
        priority: EventPriority = .normal, deadline: Duration? = .seconds(30), grace: Duration = .seconds(5),
        concurrency: Concurrency = .serial, retry: RetryPolicy = .none
    ) {
        self.name = name
        self.capacity = max(capacity, 1)
        self.overflow = overflow
        self.priority = priority
        self.deadline = deadline
        self.grace = grace
        self.concurrency = concurrency
        self.retry = retry
    }
}

/// Counters of one subscription since it began.
public struct SubscriptionStatistics: Sendable {
    /// Events that wait now.
    public var pending: Int = 0
    /// How long the one that waits longest has waited; `nil` when nothing waits.
    public var oldestAge: Duration?
    /// Events handled, or drawn.
    public var delivered: UInt64 = 0
    /// Calls that threw or overran their deadline; several for one event that was tried again.
    public var failed: UInt64 = 0
    /// Calls made again after a failure.
    public var retried: UInt64 = 0
    /// Events given up for good, each a dead letter.
    public var dead: UInt64 = 0
    /// Events that found no room.
    public var dropped: UInt64 = 0
    /// Events replaced by a newer one of the same key.
    public var conflated: UInt64 = 0
    /// Calls that overran deadline and grace and have not returned.
    public var stuck: Int = 0

    public init() {}
}
