/// How a subscription queues.
public struct SubscriptionOptions: Sendable {
    /// What happens to an event that finds its subscription full.
    public enum Overflow: Sendable, Equatable {
        /// Its publisher waits (`publish`) or is refused (`tryPublish`).
        case wait
        /// The oldest waiting event of the least urgent lane goes.
        case dropOldest
        /// The new event goes.
        case dropNewest
    }

    /// What the subscription is called in counters, logs and errors.
    public var name: String
    /// The most events that wait; counted in events that match.
    public var capacity: Int
    public var overflow: Overflow

    public init(name: String = "handler", capacity: Int = 65_536, overflow: Overflow = .wait) {
        self.name = name
        self.capacity = max(capacity, 1)
        self.overflow = overflow
    }
}

/// Counters of one subscription since it began.
public struct SubscriptionStatistics: Sendable {
    /// Events that wait now.
    public var pending: Int = 0
    public var delivered: UInt64 = 0
    public var failed: UInt64 = 0
    public var dropped: UInt64 = 0

    public init() {}
}
