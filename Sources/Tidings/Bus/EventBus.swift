/// Hands each published event to every subscriber whose filter matches.
///
/// Events of one publisher reach each subscriber in publish order within a priority, once, however many of its patterns
/// match. Every queue is bounded; a failing, slow or stuck subscriber delays no other. All methods are safe to call from
/// any thread and from inside handlers.
public protocol EventBus: Sendable {
    /// Publishes without waiting: either every subscription that asked publishers to wait has room for all of its share,
    /// or nothing is published and `full` is thrown.
    @discardableResult
    func tryPublish(_ batch: EventBatch) throws(EventBusError) -> PublishReport

    /// Publishes, waiting for room, and, where a log is attached, for the log to have committed the events.
    @discardableResult
    func publish(_ batch: EventBatch) async throws(EventBusError) -> PublishReport

    /// Publishes batches one after the other, and waits for the commits of all of them only at the end.
    ///
    /// Where there is no room for `patience`, or the bus does not take a batch at all, that batch and those behind it are
    /// not published: they fail with the same error, and what was published is a prefix.
    ///
    /// - Parameter patience: how long to wait for room, all in all.
    /// - Returns: what became of each batch, in order.
    func publish(
        _ batches: [EventBatch], patience: Duration
    ) async -> [Result<PublishReport, EventBusError>]

    /// Publishes one event without waiting; see ``tryPublish(_:)-(EventBatch)``.
    @discardableResult
    func tryPublish(_ event: StandardEvent) throws(EventBusError) -> PublishResult

    /// Publishes one event; see ``publish(_:)-(EventBatch)``.
    @discardableResult
    func publish(_ event: StandardEvent) async throws(EventBusError) -> PublishResult

    /// Calls `tap` inline, on the publisher's thread, with each matching event. What it throws is counted and goes no
    /// further. It must not block.
    @discardableResult
    func addTap(
        to filter: EventFilter, name: String, _ tap: @escaping @Sendable (StandardEvent) throws -> Void
    ) throws(EventBusError) -> Subscription

    /// Queues matching events and calls `handler` with them, as the options say. What it throws goes no further: when it
    /// has failed for good the event goes to the dead letters and an `error` event tells of it.
    @discardableResult
    func addHandler(
        to filter: EventFilter, options: SubscriptionOptions,
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) throws(EventBusError) -> Subscription

    /// Queues matching events for whoever draws them.
    func batches(matching filter: EventFilter, options: SubscriptionOptions) throws(EventBusError) -> EventBatches

    /// Whether anybody would notice an event of this type: a subscriber or a log.
    func isListening(to type: EventType) -> Bool

    /// Counters since the start.
    var statistics: BusStatistics { get }

    /// The counters, each subscription's own, and how far the log is behind.
    var snapshot: BusSnapshot { get }

    /// Takes no more events, waits until every handler has handled what was accepted and the log has committed it.
    func stop() async
}

extension EventBus {
    /// Publishes batches one after the other, each with its own commit; a bus that can wait for all at once does better.
    public func publish(
        _ batches: [EventBatch], patience: Duration
    ) async -> [Result<PublishReport, EventBusError>] {
        var results: [Result<PublishReport, EventBusError>] = []
        let deadline = ContinuousClock.now + patience
        for batch in batches {
            do {
                let left = max(ContinuousClock.now.duration(to: deadline), .zero)
                results.append(.success(try await withTimeLimit(left) { try await self.publish(batch) }))
            } catch {
                let reason = error as? EventBusError ?? EventBusError(.full, "the bus has had no room for \(patience)")
                while results.count < batches.count { results.append(.failure(reason)) }
            }
            if results.count == batches.count { break }
        }
        return results
    }

    /// Publishes one event; see ``publish(_:)-(EventBatch)``.
    @discardableResult
    public func publish(_ event: StandardEvent) async throws(EventBusError) -> PublishResult {
        try await self.publish(EventBatch(event))[0]
    }

    /// Publishes one event without waiting; see ``tryPublish(_:)-(EventBatch)``.
    @discardableResult
    public func tryPublish(_ event: StandardEvent) throws(EventBusError) -> PublishResult {
        try self.tryPublish(EventBatch(event))[0]
    }

    /// Calls `handler` with every event of a type, or of the types that a pattern such as `login.*` or `*` matches.
    @discardableResult
    public func subscribe(
        to pattern: EventTypePattern, options: SubscriptionOptions = SubscriptionOptions(),
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) throws(EventBusError) -> Subscription {
        try self.addHandler(to: EventFilter(types: [pattern]), options: options, handler)
    }

    /// Calls `handler` with every event of a type. A text literal means a pattern, hence the attribute.
    @_disfavoredOverload
    @discardableResult
    public func subscribe(
        to type: EventType, options: SubscriptionOptions = SubscriptionOptions(),
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) throws(EventBusError) -> Subscription {
        try self.addHandler(to: .type(type), options: options, handler)
    }
}

/// What a bus has done so far.
public struct BusStatistics: Sendable {
    /// Events accepted.
    public var published: UInt64 = 0
    /// Events handled: one for each subscriber that returned without an error.
    public var delivered: UInt64 = 0
    /// Events that a full subscription gave up.
    public var dropped: UInt64 = 0
    /// Calls of taps and handlers that threw or overran their deadline.
    public var failed: UInt64 = 0
    /// Calls of handlers made again after a failure.
    public var retried: UInt64 = 0
    /// Events that a handler gave up on: dead letters.
    public var dead: UInt64 = 0
    /// Events that a newer one of the same key replaced before they were handled.
    public var conflated: UInt64 = 0
    /// Events refused because they were known already.
    public var duplicates: UInt64 = 0
    /// Events refused by `tryPublish` because a subscription was full.
    public var refused: UInt64 = 0
    /// Events accepted, by type; beyond a bounded number of types the rest is `other`.
    public var byType: [String: UInt64] = [:]
    /// How long events waited between publishing and the start of their handler.
    public var latency = LatencyHistogram()
    /// How long calls of handlers took.
    public var handling = LatencyHistogram()

    public init() {}
}
