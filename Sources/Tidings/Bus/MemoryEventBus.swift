public import Logging
import Synchronization

/// The event bus of one process.
///
/// Runs from its creation until ``stop()``. Publishing calls taps, hands references to the queues of matching
/// subscriptions, and, where a log is attached, queues the events for it; handlers run in tasks of their own, on threads
/// of their own, that the bus ends and waits for when it stops.
public final class MemoryEventBus: EventBus {
    enum Phase {
        case running
        /// Only handlers may still publish, so that what was accepted is handled to the end.
        case draining
        /// Nobody publishes any more; handlers and the log come to their end.
        case ending
        case stopped
    }

    struct Registration {
        let route: Routes.Route
        let priority: EventPriority
        /// Calls the handler; `nil` for taps and for subscriptions that are drawn.
        let runner: HandlerRunner?
        /// Feeds a durable subscription from the log.
        let feeder: DurableFeeder?
    }

    struct State: ~Copyable {
        var phase = Phase.running
        var registrations: [Registration] = []
        var routes = Routes([])
        var logTask: Task<Void, Never>?
        var stopping: Task<Void, Never>?
        var window: DuplicateWindow
        /// Where events go that are published one by one.
        var open: EventBatch?
        var counters = BusCounters()
        /// What subscriptions that have ended did.
        var ended = BusStatistics()
    }

    /// Of all the buses of a process: a chain of causes may lead through several.
    private static let lastID = Atomic<UInt64>(0)

    let state: Locked<State>
    let publishersInside = Atomic<Int>(0)
    let logStage: LogStage?
    let ingress: IngressChain
    let logger: Logger
    /// Puts what is published into the trace of the span it is published in.
    let tracer: EventTracer?
    let isTracing: Bool
    let executor: HandlerExecutor
    let waits = Locked(WaitGraph())
    /// Where events go whose handler gave up: with the log, or in memory without one.
    public let deadLetters: any DeadLetterStore

    /// - Parameters:
    ///   - log: where accepted events are kept; publishers that use `publish` wait for it.
    ///   - duplicateWindow: how many identifiers are remembered to recognise an event that comes twice.
    ///   - ingress: what every event goes through first; redacts by default.
    public convenience init(
        log: (any EventLog)? = nil, duplicateWindow: Int = 1 << 20, ingress: IngressChain = IngressChain(),
        logger: Logger = Logger(label: "tidings.bus")
    ) {
        self.init(
            log: log, duplicateWindow: duplicateWindow, ingress: ingress, logger: logger,
            executor: HandlerExecutor.shared)
    }

    init(
        log: (any EventLog)?, duplicateWindow: Int, ingress: IngressChain, logger: Logger, executor: HandlerExecutor
    ) {
        self.state = Locked(State(window: DuplicateWindow(capacity: duplicateWindow)))
        self.tracer = EventTracer.current
        self.isTracing = self.tracer != nil
        self.logger = logger
        self.ingress = ingress
        self.executor = executor
        self.logStage = log.map { LogStage(log: $0, logger: logger) }
        self.deadLetters = log?.deadLetters ?? MemoryDeadLetterStore()
        self.startLogTask()
    }

    deinit {
        // Ends the tasks of a bus that nobody stopped; they hold no reference to it.
        self.logStage?.finish()
        self.state.withLock { state in
            for registration in state.registrations {
                registration.feeder?.finish()
                if case .queue(let queue) = registration.route.target { queue.finish(discarding: true) }
            }
        }
    }

    /// The log that accepted events go to.
    public var log: (any EventLog)? { self.logStage?.log }

    /// Why the log does not take events at the moment; `nil` while it does.
    public var logError: EventLogError? { self.logStage?.lastError }

    /// Remembers identifiers that were published before this bus existed, oldest first.
    public func remember(_ ids: some Sequence<EventID>) {
        self.state.withLock { state in
            for id in ids { _ = state.window.insert(id) }
        }
    }

    func startLogTask() {
        guard let stage = self.logStage else { return }
        self.state.withLock { $0.logTask = Task { await stage.run() } }
    }

    // MARK: Subscribing

    @discardableResult
    public func addTap(
        to filter: EventFilter, name: String = "tap", _ tap: @escaping @Sendable (StandardEvent) throws -> Void
    ) throws(EventBusError) -> Subscription {
        try self.register { id, onCancel in
            let subscription = Subscription(id: id, name: name, queue: nil, onCancel: onCancel)
            let route = Routes.Route(
                filter: filter, target: .tap(tap), subscription: subscription, isHandler: false)
            return Registration(route: route, priority: .normal, runner: nil, feeder: nil)
        }
    }

    @discardableResult
    public func addHandler(
        to filter: EventFilter, options: SubscriptionOptions = SubscriptionOptions(),
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) throws(EventBusError) -> Subscription {
        try self.register { id, onCancel in
            let (route, runner) = self.makeRunner(id, filter, options, onCancel, handler)
            return Registration(route: route, priority: options.priority, runner: runner, feeder: nil)
        }
    }

    func makeRunner(
        _ id: UInt64, _ filter: EventFilter, _ options: SubscriptionOptions, _ onCancel: @escaping @Sendable () -> Void,
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) -> (Routes.Route, HandlerRunner) {
        let queue = EventQueue(id: id, options: options, isHandlers: true)
        let subscription = Subscription(id: id, name: options.name, queue: queue, onCancel: onCancel)
        let runner = HandlerRunner(
            queue: queue, subscription: subscription, options: options, executor: self.executor,
            support: self.support, handler: handler)
        let route = Routes.Route(
            filter: filter, target: .queue(queue), subscription: subscription, isHandler: true)
        return (route, runner)
    }

    public func batches(
        matching filter: EventFilter, options: SubscriptionOptions = SubscriptionOptions()
    ) throws(EventBusError) -> EventBatches {
        var queue: EventQueue?
        let subscription = try self.register { id, onCancel in
            let ours = EventQueue(id: id, options: options, isHandlers: false)
            queue = ours
            let subscription = Subscription(id: id, name: options.name, queue: ours, onCancel: onCancel)
            let route = Routes.Route(
                filter: filter, target: .queue(ours), subscription: subscription, isHandler: false)
            return Registration(route: route, priority: options.priority, runner: nil, feeder: nil)
        }
        guard let queue else { preconditionFailure("registering made no queue") }
        return EventBatches(subscription: subscription, queue: queue)
    }

    func register(
        _ make: (UInt64, @escaping @Sendable () -> Void) -> Registration
    ) throws(EventBusError) -> Subscription {
        let registration = try self.state.withLock { state throws(EventBusError) in
            guard state.phase == .running || state.phase == .draining else {
                throw EventBusError(.stopped, "the bus has stopped")
            }
            let id = Self.lastID.wrappingAdd(1, ordering: .relaxed).newValue
            let registration = make(id) { [weak self] in self?.cancel(id) }
            // Those of a lower priority number first, otherwise in the order of subscribing.
            let place = state.registrations.firstIndex { $0.priority > registration.priority }
            state.registrations.insert(registration, at: place ?? state.registrations.endIndex)
            state.updateRoutes()
            return registration
        }
        registration.runner?.start()
        registration.feeder?.start()
        return registration.route.subscription
    }

    private func cancel(_ id: UInt64) {
        let registration = self.state.withLock { state -> Registration? in
            guard let place = state.registrations.firstIndex(where: { $0.route.subscription.id == id }) else {
                return nil
            }
            let registration = state.registrations.remove(at: place)
            state.updateRoutes()
            state.ended.add(registration.route.subscription)
            return registration
        }
        registration?.feeder?.finish()
        registration?.runner?.cutPausesShort()
        if case .queue(let queue) = registration?.route.target { queue.finish(discarding: true) }
    }

    // MARK: Counting

    public func isListening(to type: EventType) -> Bool {
        if self.logStage != nil { return true }
        return !self.state.withLock { $0.routes }.candidates(for: type).routes.isEmpty
    }

    public var statistics: BusStatistics {
        let (subscriptions, totals) = self.state.withLock { state in
            var totals = state.ended
            totals.published = state.counters.published
            totals.duplicates = state.counters.duplicates
            totals.refused = state.counters.refused
            totals.byType = state.counters.countsByType
            return (state.registrations.map(\.route.subscription), totals)
        }
        var statistics = totals
        for subscription in subscriptions { statistics.add(subscription) }
        return statistics
    }

    /// The subscriptions there are, in the order in which they are handed events.
    public var subscriptions: [Subscription] {
        self.state.withLock { $0.registrations.map(\.route.subscription) }
    }
}

extension MemoryEventBus.State {
    mutating func updateRoutes() {
        // What a durable subscription gets comes from the log.
        self.routes = Routes(self.registrations.lazy.filter { $0.feeder == nil }.map(\.route))
    }
}

extension BusStatistics {
    mutating func add(_ subscription: Subscription) {
        let own = subscription.statistics
        self.delivered += own.delivered
        self.failed += own.failed
        self.retried += own.retried
        self.dead += own.dead
        self.dropped += own.dropped
        self.conflated += own.conflated
        self.latency.add(subscription.latency)
        self.handling.add(subscription.durations)
    }
}
