public import Logging
import Synchronization

/// The event bus of one process.
///
/// Runs from its creation until ``stop()``. Publishing calls taps, hands references to the queues of matching
/// subscriptions, and, where a log is attached, queues the events for it; handlers run in tasks of their own that the bus
/// ends and waits for when it stops.
public final class MemoryEventBus: EventBus {
    private enum Phase {
        case running
        /// Only handlers may still publish, so that what was accepted is handled to the end.
        case draining
        case stopped
    }

    private struct Registration {
        let route: Routes.Route
        /// The handler's loop; `nil` for taps and for subscriptions that are drawn.
        let loop: HandlerLoop?
        var task: Task<Void, Never>?
    }

    private struct State: ~Copyable {
        var phase = Phase.running
        var registrations: [Registration] = []
        var routes = Routes([])
        var nextID: UInt64 = 1
        var logTask: Task<Void, Never>?
        /// What subscriptions that have ended did.
        var ended = BusStatistics()
    }

    private let state: Locked<State>
    private let window: Locked<DuplicateWindow>
    private let counters = BusCounters()
    private let publishersInside = Atomic<Int>(0)
    private let logStage: LogStage?
    private let logger: Logger

    /// - Parameters:
    ///   - log: where accepted events are kept; publishers that use `publish` wait for it.
    ///   - duplicateWindow: how many identifiers are remembered to recognise an event that comes twice.
    public init(
        log: (any EventLog)? = nil, duplicateWindow: Int = 1 << 20, logger: Logger = Logger(label: "tidings.bus")
    ) {
        self.state = Locked(State())
        self.window = Locked(DuplicateWindow(capacity: duplicateWindow))
        self.logger = logger
        self.logStage = log.map { LogStage(log: $0, logger: logger) }
        self.startLogTask()
    }

    deinit {
        // Ends the tasks of a bus that nobody stopped; they hold no reference to it.
        self.logStage?.finish()
        self.state.withLock { state in
            for registration in state.registrations {
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
        self.window.withLock { window in
            for id in ids { _ = window.insert(id) }
        }
    }

    // MARK: Publishing

    @discardableResult
    public func tryPublish(_ batch: EventBatch) throws(EventBusError) -> PublishReport {
        switch try self.attempt(batch) {
        case .full(let place):
            self.counters.refused.wrappingAdd(UInt64(batch.count), ordering: .relaxed)
            throw EventBusError(.full, "\(place.name) has no room for \(batch.count) more events")
        case .accepted(let accepted):
            if let stage = self.logStage, !accepted.selection.isEmpty {
                stage.enqueue(accepted.selection, reserved: accepted.reservedInLog, waiter: nil)
            }
            self.publishersInside.wrappingSubtract(1, ordering: .releasing)
            return accepted.report
        }
    }

    @discardableResult
    public func publish(_ batch: EventBatch) async throws(EventBusError) -> PublishReport {
        while true {
            switch try self.attempt(batch) {
            case .full(let place):
                try await self.waitForRoom(at: place, events: batch.count)
            case .accepted(let accepted):
                guard let stage = self.logStage, !accepted.selection.isEmpty else {
                    self.publishersInside.wrappingSubtract(1, ordering: .releasing)
                    return accepted.report
                }
                let waiter = await withCheckedContinuation { continuation in
                    stage.enqueue(
                        accepted.selection, reserved: accepted.reservedInLog, waiter: LogStage.Waiter(continuation))
                    self.publishersInside.wrappingSubtract(1, ordering: .releasing)
                }
                return self.report(accepted, waiter.result)
            }
        }
    }

    private enum Place {
        case queue(EventQueue)
        case log(LogStage)

        var name: String {
            switch self {
            case .queue(let queue): queue.options.name
            case .log: "the log"
            }
        }
    }

    private struct Accepted {
        var selection: EventSelection
        var reservedInLog: Int
        var report: PublishReport
    }

    private enum Attempt {
        case accepted(Accepted)
        case full(Place)
    }

    /// Delivers a batch to everything but the log, or to nothing at all. After `accepted` the caller queues the selection
    /// for the log and then leaves.
    private func attempt(_ published: EventBatch) throws(EventBusError) -> Attempt {
        let context = EventContext.current
        self.publishersInside.wrappingAdd(1, ordering: .acquiring)
        let (phase, routes) = self.state.withLock { ($0.phase, $0.routes) }
        guard phase == .running || (phase == .draining && context?.subscriptionID != nil) else {
            self.publishersInside.wrappingSubtract(1, ordering: .releasing)
            throw EventBusError(.stopped, "the bus has stopped")
        }
        let batch = context.map { context in EventBatch(published.events.map { $0.inheriting(context) }) } ?? published

        let everything = EventSelection(batch)
        let matches = routes.match(everything)
        if let place = self.reserve(matches, log: everything.count) {
            self.publishersInside.wrappingSubtract(1, ordering: .releasing)
            return .full(place)
        }
        let fresh = self.window.withLock { window in
            var mask: UInt64 = 0
            for index in batch.events.indices where window.insert(batch.events[index].eventID) {
                mask |= 1 << UInt64(index)
            }
            return mask
        }
        let now = MonotonicClock.nanoseconds()
        for match in matches { self.deliver(batch, match, fresh: fresh, at: now) }

        let selection = EventSelection(batch, mask: fresh)
        let duplicates = everything.mask & ~fresh
        self.counters.count(selection)
        if duplicates != 0 {
            self.counters.duplicates.wrappingAdd(UInt64(duplicates.nonzeroBitCount), ordering: .relaxed)
        }
        if selection.isEmpty { self.logStage?.release(everything.count) }
        return .accepted(
            Accepted(
                selection: selection, reservedInLog: everything.count,
                report: PublishReport(count: batch.count, accepted: fresh, duplicates: duplicates)))
    }

    /// Room everywhere, or nowhere and the place that has none.
    private func reserve(_ matches: [(route: Routes.Route, mask: UInt64)], log events: Int) -> Place? {
        if let stage = self.logStage, !stage.reserve(events) { return .log(stage) }
        for (number, match) in matches.enumerated() {
            guard case .queue(let queue) = match.route.target, queue.waitsForRoom else { continue }
            if queue.reserve(match.mask.nonzeroBitCount) { continue }
            for earlier in matches[..<number] {
                if case .queue(let queue) = earlier.route.target, queue.waitsForRoom {
                    queue.release(earlier.mask.nonzeroBitCount)
                }
            }
            self.logStage?.release(events)
            return .queue(queue)
        }
        return nil
    }

    private func deliver(
        _ batch: EventBatch, _ match: (route: Routes.Route, mask: UInt64), fresh: UInt64, at now: Int64
    ) {
        let mask = match.mask & fresh
        switch match.route.target {
        case .queue(let queue):
            let reserved = queue.waitsForRoom ? match.mask.nonzeroBitCount : 0
            if mask == 0 {
                if reserved > 0 { queue.release(reserved) }
            } else {
                queue.offer(EventSelection(batch, mask: mask), at: now, reserved: reserved)
            }
        case .tap(let tap):
            var failed: UInt64 = 0
            for index in MaskIndices(mask: mask) {
                do {
                    try tap(batch.events[index])
                } catch {
                    failed += 1
                    self.noteFailure(of: match.route.subscription, handling: batch.events[index], error)
                }
            }
            let subscription = match.route.subscription
            subscription.deliveredCount.wrappingAdd(UInt64(mask.nonzeroBitCount) - failed, ordering: .relaxed)
            if failed > 0 { subscription.failedCount.wrappingAdd(failed, ordering: .relaxed) }
        }
    }

    private func waitForRoom(at place: Place, events: Int) async throws(EventBusError) {
        switch place {
        case .log(let stage): await stage.waitForRoom(events)
        case .queue(let queue):
            if EventContext.current?.subscriptionID == queue.id {
                throw EventBusError(
                    .wouldDeadlock, "\(queue.options.name) is full, and its own handler would wait for room in it")
            }
            await queue.waitForRoom(events)
        }
        if Task.isCancelled { throw EventBusError(.full, "cancelled while waiting for room") }
    }

    private func report(_ accepted: Accepted, _ outcome: LogStage.Outcome) -> PublishReport {
        var report = accepted.report
        switch outcome {
        case .success(let outcome):
            if let committed = outcome.committed {
                for index in committed.selection.indices { report.offsets[index] = committed.offset(at: index) }
            }
            for (index, offset) in outcome.duplicates {
                report.accepted &= ~(1 << UInt64(index))
                report.duplicates |= 1 << UInt64(index)
                report.offsets[index] = offset
            }
        case .failure(let error):
            let problem = EventBusError(.store, error.message)
            self.window.withLock { window in
                for index in accepted.selection.indices {
                    window.forget(accepted.selection.batch.events[index].eventID)
                    report.refusals[index] = problem
                }
            }
            report.accepted = 0
        }
        return report
    }

    public func isListening(to type: EventType) -> Bool {
        if self.logStage != nil { return true }
        return !self.state.withLock { $0.routes }.candidates(for: type).isEmpty
    }

    // MARK: Subscribing

    @discardableResult
    public func addTap(
        to filter: EventFilter, name: String = "tap", _ tap: @escaping @Sendable (StandardEvent) throws -> Void
    ) throws(EventBusError) -> Subscription {
        try self.register { id, onCancel in
            let subscription = Subscription(id: id, name: name, queue: nil, onCancel: onCancel)
            return Registration(
                route: Routes.Route(filter: filter, target: .tap(tap), subscription: subscription), loop: nil)
        }
    }

    @discardableResult
    public func addHandler(
        to filter: EventFilter, options: SubscriptionOptions = SubscriptionOptions(),
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) throws(EventBusError) -> Subscription {
        try self.register { id, onCancel in
            let queue = EventQueue(id: id, options: options)
            let subscription = Subscription(id: id, name: options.name, queue: queue, onCancel: onCancel)
            let loop = HandlerLoop(
                queue: queue, subscription: subscription, isCancelled: { queue.isDiscarded }, handler: handler,
                onFailure: { [weak self] event, error in self?.noteFailure(of: subscription, handling: event, error) })
            return Registration(
                route: Routes.Route(filter: filter, target: .queue(queue), subscription: subscription), loop: loop)
        }
    }

    public func batches(
        matching filter: EventFilter, options: SubscriptionOptions = SubscriptionOptions()
    ) throws(EventBusError) -> EventBatches {
        var queue: EventQueue?
        let subscription = try self.register { id, onCancel in
            let ours = EventQueue(id: id, options: options)
            queue = ours
            let subscription = Subscription(id: id, name: options.name, queue: ours, onCancel: onCancel)
            return Registration(
                route: Routes.Route(filter: filter, target: .queue(ours), subscription: subscription), loop: nil)
        }
        guard let queue else { preconditionFailure("registering made no queue") }
        return EventBatches(subscription: subscription, queue: queue)
    }

    private func register(
        _ make: (UInt64, @escaping @Sendable () -> Void) -> Registration
    ) throws(EventBusError) -> Subscription {
        try self.state.withLock { state throws(EventBusError) in
            guard state.phase != .stopped else { throw EventBusError(.stopped, "the bus has stopped") }
            let id = state.nextID
            state.nextID += 1
            var registration = make(id) { [weak self] in self?.cancel(id) }
            registration.task = Self.startTask(registration.loop)
            state.registrations.append(registration)
            state.routes = Routes(state.registrations.map(\.route))
            return registration.route.subscription
        }
    }

    /// The one place where handlers get their task: unstructured because a bus works from its creation, without a scope
    /// around it; `stop` waits for each.
    private static func startTask(_ loop: HandlerLoop?) -> Task<Void, Never>? {
        loop.map { loop in Task { await loop.run() } }
    }

    private func startLogTask() {
        guard let stage = self.logStage else { return }
        self.state.withLock { $0.logTask = Task { await stage.run() } }
    }

    private func cancel(_ id: UInt64) {
        let route = self.state.withLock { state -> Routes.Route? in
            guard let place = state.registrations.firstIndex(where: { $0.route.subscription.id == id }) else {
                return nil
            }
            let route = state.registrations.remove(at: place).route
            state.routes = Routes(state.registrations.map(\.route))
            state.ended.add(route.subscription)
            return route
        }
        if case .queue(let queue) = route?.target { queue.finish(discarding: true) }
    }

    private func noteFailure(of subscription: Subscription, handling event: StandardEvent, _ error: any Error) {
        self.logger.info(
            "A handler failed",
            metadata: [
                LogKey.subscriber: "\(subscription.name)", LogKey.eventType: "\(event.eventType)",
                LogKey.eventID: "\(event.eventID)", LogKey.error: "\(error)",
            ])
        // A handler of errors that fails must not feed itself.
        guard event.eventType != .error else { return }
        let report = StandardEvent.handlerFailure(subscriber: subscription.name, handling: event, error)
        EventContext.$current.withValue(EventContext(event, subscriptionID: subscription.id)) {
            _ = try? self.tryPublish(EventBatch(report))
        }
    }

    // MARK: Counting

    public var statistics: BusStatistics {
        let (subscriptions, ended) = self.state.withLock { state in
            (state.registrations.map(\.route.subscription), state.ended)
        }
        var statistics = ended
        statistics.published = self.counters.published.load(ordering: .relaxed)
        statistics.duplicates = self.counters.duplicates.load(ordering: .relaxed)
        statistics.refused = self.counters.refused.load(ordering: .relaxed)
        statistics.byType = self.counters.countsByType
        for subscription in subscriptions { statistics.add(subscription) }
        return statistics
    }

    // MARK: Stopping

    public func stop() async {
        let isFirst = self.state.withLock { state in
            guard state.phase == .running else { return false }
            state.phase = .draining
            return true
        }
        guard isFirst else { return }
        await self.drain()
        let (ended, logTask) = self.state.withLock { state -> ([Registration], Task<Void, Never>?) in
            state.phase = .stopped
            let ended = state.registrations
            // Taps and handlers stay registered for the next start; who draws has to subscribe anew.
            state.registrations = ended.filter { registration in
                if registration.loop != nil { return true }
                if case .tap = registration.route.target { return true }
                return false
            }
            state.routes = Routes(state.registrations.map(\.route))
            let logTask = state.logTask
            state.logTask = nil
            return (ended, logTask)
        }
        for registration in ended {
            if case .queue(let queue) = registration.route.target { queue.finish(discarding: false) }
        }
        for registration in ended { await registration.task?.value }
        self.logStage?.finish()
        await logTask?.value
    }

    /// Returns when nothing waits any more and nobody is publishing.
    private func drain() async {
        while true {
            let before = self.counters.published.load(ordering: .sequentiallyConsistent)
            let loops = self.state.withLock { $0.registrations.compactMap(\.loop) }
            for loop in loops { await loop.queue.waitUntilIdle() }
            await self.logStage?.waitUntilIdle()
            while self.publishersInside.load(ordering: .acquiring) > 0 { await Task.yield() }
            if self.counters.published.load(ordering: .sequentiallyConsistent) == before { return }
        }
    }

    /// Runs again after ``stop()``, with the taps and handlers it had.
    public func start() {
        self.state.withLock { state in
            guard state.phase == .stopped else { return }
            state.phase = .running
            for index in state.registrations.indices {
                if case .queue(let queue) = state.registrations[index].route.target { queue.reopen() }
                state.registrations[index].task = Self.startTask(state.registrations[index].loop)
            }
        }
        self.logStage?.reopen()
        self.startLogTask()
    }
}

extension BusStatistics {
    fileprivate mutating func add(_ subscription: Subscription) {
        let own = subscription.statistics
        self.delivered += own.delivered
        self.failed += own.failed
        self.dropped += own.dropped
        self.latency.add(subscription.latency)
    }
}
