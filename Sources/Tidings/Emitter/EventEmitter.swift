import Synchronization

/// Named events for scrapers: `on`, `once`, `off`, `emit`.
///
/// A thin face on a bus: what is emitted goes wherever the bus goes. Emitting is always safe; with nobody listening it
/// costs next to nothing. Handlers that throw are counted and reported as `error` events, and stop nobody else. Safe to
/// use from any thread and from inside handlers.
public final class EventEmitter: Sendable {
    public let bus: any EventBus
    /// The `source` of what is emitted.
    public let source: Name
    private let refusedCount = Atomic<UInt64>(0)

    public init(source: Name = "emitter", bus: any EventBus = MemoryEventBus()) {
        self.source = source
        self.bus = bus
    }

    /// Events that could not be delivered, because a subscription was full or the bus had stopped.
    public var refused: UInt64 { self.refusedCount.load(ordering: .relaxed) }

    // MARK: Listening

    /// Calls a synchronous handler with every matching event, on the thread that emits, before `emit` returns.
    @discardableResult
    public func on(
        _ pattern: EventTypePattern, _ handler: @escaping @Sendable (StandardEvent) throws -> Void
    ) throws(EventBusError) -> Subscription {
        try self.bus.addTap(to: EventFilter(types: [pattern]), name: "on \(pattern)") { event in
            try EventContext.$current.withValue(EventContext(event)) { try handler(event) }
        }
    }

    /// Calls an asynchronous handler with every matching event, one after the other, after `emit` has returned.
    @discardableResult
    public func on(
        _ pattern: EventTypePattern, options: SubscriptionOptions? = nil,
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) throws(EventBusError) -> Subscription {
        try self.bus.addHandler(
            to: EventFilter(types: [pattern]), options: options ?? SubscriptionOptions(name: "on \(pattern)"), handler)
    }

    /// Calls a synchronous handler with the next matching event and with no other.
    @discardableResult
    public func once(
        _ pattern: EventTypePattern, _ handler: @escaping @Sendable (StandardEvent) throws -> Void
    ) throws(EventBusError) -> Subscription {
        let call = OneCall()
        let subscription = try self.on(pattern) { (event: StandardEvent) throws -> Void in
            guard call.begin() else { return }
            try handler(event)
        }
        call.end { subscription.cancel() }
        return subscription
    }

    /// Calls an asynchronous handler with the next matching event and with no other.
    @discardableResult
    public func once(
        _ pattern: EventTypePattern, _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) throws(EventBusError) -> Subscription {
        let call = OneCall()
        let subscription = try self.on(pattern) { (event: StandardEvent) async throws -> Void in
            guard call.begin() else { return }
            try await handler(event)
        }
        call.end { subscription.cancel() }
        return subscription
    }

    /// Stops calling a handler.
    public func off(_ subscription: Subscription) {
        subscription.cancel()
    }

    // MARK: Emitting

    /// Emits an event by name, with data.
    ///
    /// - Returns: whether it was accepted; also true when nobody listens.
    @discardableResult
    public func emit(_ type: EventType, _ data: Payload = .empty, priority: EventPriority = .normal) -> Bool {
        guard self.bus.isListening(to: type) else { return true }
        return self.emit(StandardEvent(eventType: type, source: self.source, payload: data, priority: priority))
    }

    /// Emits an event.
    @discardableResult
    public func emit(_ event: StandardEvent) -> Bool {
        do throws(EventBusError) {
            if case .refused = try self.bus.tryPublish(event) {
                self.refusedCount.wrappingAdd(1, ordering: .relaxed)
                return false
            }
            return true
        } catch {
            self.refusedCount.wrappingAdd(1, ordering: .relaxed)
            return false
        }
    }
}

/// Lets one call through, and runs its end as soon as both the call has begun and the end is known.
private final class OneCall: Sendable {
    private struct State {
        var hasBegun = false
        var end: (@Sendable () -> Void)?
    }

    private let state = Locked(State())

    func begin() -> Bool {
        let (isFirst, end) = self.state.withLock { state -> (Bool, (@Sendable () -> Void)?) in
            if state.hasBegun { return (false, nil) }
            state.hasBegun = true
            return (true, state.end)
        }
        end?()
        return isFirst
    }

    func end(_ end: @escaping @Sendable () -> Void) {
        let runsNow = self.state.withLock { state in
            state.end = end
            return state.hasBegun
        }
        if runsNow { end() }
    }
}
