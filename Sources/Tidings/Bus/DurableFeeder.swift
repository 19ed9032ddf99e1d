import Logging

/// Feeds a durable subscription from the log: hands its handler every event that it has not acknowledged yet, in the order
/// of the offsets, and keeps the cursor.
///
/// The cursor is saved whenever the handler has caught up, after every 256 events, and at the end. A crash hands out
/// again what was not acknowledged in the cursor saved last: at least once, never less.
final class DurableFeeder: Sendable {
    private static let pageSize = 256
    private static let unsavedLimit = 256

    private struct State {
        var tracker: DurableCursorTracker?
        /// The offsets of what is outstanding.
        var offsets: [EventID: Int64] = [:]
        var unsaved = 0
        var isFinished = false
        /// Something has changed since the feeder looked.
        var isStirred = false
        var waiter: UnsafeContinuation<Void, Never>?
        var task: Task<Void, Never>?
    }

    private let name: String
    private let filter: EventFilter
    /// Where a subscription that has no cursor yet begins; taken when it was made, so that nothing published after that is
    /// missed.
    private let first: DurableCursor
    private let log: any EventLog
    private let queue: EventQueue
    private let logger: Logger
    private let state = Locked(State())

    init(
        name: String, filter: EventFilter, origin: DurableOrigin, log: any EventLog, queue: EventQueue, logger: Logger
    ) {
        self.name = name
        self.filter = filter
        self.first = DurableCursor(lowWater: origin == .start ? 0 : log.bounds.head)
        self.log = log
        self.queue = queue
        self.logger = logger
    }

    // MARK: Lifecycle

    /// Begins feeding, in a task that ``stop()`` waits for.
    func start() {
        self.state.withLock { state in
            state.isFinished = false
            state.task = Task { await self.run() }
        }
    }

    /// Hands out nothing more.
    func finish() {
        self.state.withLock { $0.isFinished = true }
        self.stir()
    }

    /// Waits for the end and saves what has been acknowledged by then.
    func stop() async {
        self.finish()
        let task = self.state.withLock { $0.task }
        await task?.value
        await self.save()
        self.state.withLock { state in
            state.tracker = nil
            state.offsets = [:]
        }
    }

    private var isFinished: Bool { self.state.withLock { $0.isFinished } }

    private func run() async {
        let (observation, _) = self.log.follow { [weak self] _ in self?.stir() }
        defer { observation.cancel() }
        var delay = Duration.milliseconds(50)
        while !self.isFinished {
            do throws(EventLogError) {
                try await self.prepare()
                let isAtEnd = try await self.handOut()
                try await self.saveIfDue()
                delay = .milliseconds(50)
                if isAtEnd { await self.waitForChange() }
            } catch {
                self.logger.warning(
                    "A durable subscription cannot read the log",
                    metadata: [LogKey.subscriber: "\(self.name)", LogKey.error: "\(error.message)"])
                try? await Task.sleep(for: delay)
                delay = min(delay * 2, .seconds(1))
            }
        }
        // Cancelled, nobody else saves it.
        await self.save()
    }

    /// Finds out where to go on, the first time.
    private func prepare() async throws(EventLogError) {
        guard self.state.withLock({ $0.tracker == nil }) else { return }
        let bounds = self.log.bounds
        let tracker: DurableCursorTracker
        if let saved = try await self.log.cursors.cursor(of: self.name) {
            tracker = DurableCursorTracker(saved, bounds: bounds)
        } else {
            try await self.log.cursors.save(self.first, of: self.name)
            tracker = DurableCursorTracker(self.first, bounds: bounds)
        }
        self.state.withLock { $0.tracker = tracker }
    }

    // MARK: Handing out

    /// Hands out the next events, as far as there is room; returns whether there are no more for now.
    private func handOut() async throws(EventLogError) -> Bool {
        let bounds = self.log.bounds
        let (position, room) = self.state.withLock { state -> (Int64, Int) in
            state.isStirred = false
            state.tracker?.deleted(below: bounds.oldest)
            return (state.tracker?.position ?? 0, state.tracker?.room ?? 0)
        }
        let limit = min(room, Self.pageSize)
        guard limit > 0 else { return true }
        let logged = try await self.log.read(
            LogQuery(filter: self.filter, after: position, through: bounds.head, limit: limit))
        var events: [StandardEvent] = []
        for entry in logged {
            let event: StandardEvent
            do throws(EventDecodingError) {
                event = try entry.event()
            } catch {
                self.logger.error(
                    "An event of the log cannot be read", metadata: [LogKey.subscriber: "\(self.name)"])
                self.state.withLock { $0.tracker?.pass(through: entry.offset) }
                continue
            }
            let isWanted = self.state.withLock { state in
                guard state.tracker?.examine(entry.offset) ?? false else { return false }
                state.offsets[event.eventID] = entry.offset
                return true
            }
            if isWanted { events.append(event) }
        }
        if logged.count < limit { self.state.withLock { $0.tracker?.pass(through: bounds.head) } }
        for start in stride(from: 0, to: events.count, by: EventBatch.capacity) {
            var rest = events[start..<min(start + EventBatch.capacity, events.count)]
            let batch = EventBatch(room: rest.count, witness: self) { rest.popFirst() }
            let selection = EventSelection(batch)
            while !self.queue.reserve(selection.weight) { await self.queue.waitForRoom(selection.weight) }
            self.queue.offer(selection, at: MonotonicClock.nanoseconds())
        }
        return logged.count < limit
    }

    private func stir() {
        let waiter = self.state.withLock { state in
            state.isStirred = true
            let waiter = state.waiter
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    private func waitForChange() async {
        await withUnsafeContinuation { (waiter: UnsafeContinuation<Void, Never>) in
            let mustWait = self.state.withLock { state in
                if state.isStirred || state.isFinished { return false }
                state.waiter = waiter
                return true
            }
            if !mustWait { waiter.resume() }
        }
    }

    // MARK: Saving

    private func saveIfDue() async throws(EventLogError) {
        let cursor = self.state.withLock { state -> DurableCursor? in
            guard let tracker = state.tracker, tracker.hasUnsavedProgress,
                tracker.outstanding == 0 || state.unsaved >= Self.unsavedLimit
            else { return nil }
            state.unsaved = 0
            return state.tracker?.takeCursorToSave()
        }
        guard let cursor else { return }
        do throws(EventLogError) {
            try await self.log.cursors.save(cursor, of: self.name)
        } catch {
            self.state.withLock { $0.tracker?.savingFailed() }
            throw error
        }
    }

    private func save() async {
        guard let cursor = self.state.withLock({ $0.tracker?.takeCursorToSave() }) else { return }
        do throws(EventLogError) {
            try await self.log.cursors.save(cursor, of: self.name)
        } catch {
            self.state.withLock { $0.tracker?.savingFailed() }
            self.logger.warning(
                "The cursor of a durable subscription could not be saved",
                metadata: [LogKey.subscriber: "\(self.name)", LogKey.error: "\(error.message)"])
        }
    }
}

extension DurableFeeder: EventWitness {
    var letter: DeadLetter? { nil }
    var isDurable: Bool { true }
    var isAwaited: Bool { false }
    func expect(_ count: Int) {}

    func settled(_ event: borrowing StandardEvent, _ outcome: HandlingOutcome) {
        if case .abandoned = outcome { return }
        let isDue = self.state.withLock { state -> Bool in
            guard let offset = state.offsets.removeValue(forKey: event.eventID) else { return false }
            state.tracker?.acknowledge(offset)
            state.unsaved += 1
            guard let tracker = state.tracker else { return false }
            return tracker.outstanding == 0 || state.unsaved >= Self.unsavedLimit
        }
        if isDue { self.stir() }
    }
}

/// Where a durable subscription begins that has no cursor yet.
public enum DurableOrigin: Sendable {
    /// With what is published from now on.
    case now
    /// With the oldest event in the log.
    case start
}

extension MemoryEventBus {
    /// Calls `handler` with every matching event of the log, also with those that were accepted while the process was not
    /// running or that it had not finished when it crashed: at least once, in the order of the offsets.
    ///
    /// The options' name identifies the subscription across restarts. An event counts as done when the handler has
    /// returned or its letter is in the dead letters; up to some hundred of those done last may be handed out again after a
    /// crash. Throws `store` without a log, and `refused` when a durable subscription of that name exists.
    ///
    /// - Parameter origin: where to begin the first time.
    @discardableResult
    public func addDurableHandler(
        to filter: EventFilter, options: SubscriptionOptions, from origin: DurableOrigin = .now,
        _ handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) throws(EventBusError) -> Subscription {
        guard let log = self.log else {
            throw EventBusError(.store, "the durable subscription '\(options.name)' needs a bus with a log")
        }
        let isTaken = self.state.withLock { state in
            state.registrations.contains { $0.feeder != nil && $0.route.subscription.name == options.name }
        }
        guard !isTaken else {
            throw EventBusError(.refused, "there is a durable subscription '\(options.name)' already")
        }
        var options = options
        // Whatever is handed out is outstanding in the cursor until it is done: nothing may be dropped on the way.
        options.overflow = .wait
        return try self.register { id, onCancel in
            let (route, runner) = self.makeRunner(id, filter, options, onCancel, handler)
            let feeder = DurableFeeder(
                name: options.name, filter: filter, origin: origin, log: log, queue: runner.queue, logger: self.logger)
            return Registration(route: route, priority: options.priority, runner: runner, feeder: feeder)
        }
    }
}
