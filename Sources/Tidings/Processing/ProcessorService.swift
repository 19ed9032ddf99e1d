public import Logging

/// Runs a processor as a subscriber of a bus: from ``start()`` to ``stop()``, or for as long as ``run()`` runs.
///
/// ```swift
/// let processor = ProcessorService(MyProcessor(), bus: bus)
/// try await processor.start()
/// ```
/// What the processor makes is published with the event it was given as its parent. Retries, deadlines and dead letters
/// are those of the subscription; because derived events have identifiers of their own making, handling an event again
/// publishes nothing twice. All methods are safe to call from any task, and from inside the processor.
public final class ProcessorService: Sendable {
    public let name: String
    public let bus: any EventBus
    private let filter: EventFilter
    private let options: SubscriptionOptions
    private let work: any ProcessorWork
    private let calls = CallCount()
    private let logger: Logger
    private let state = Locked(State())

    private struct State: ~Copyable {
        var subscription: Subscription?
        var timer: Task<Void, Never>?
        /// Ended by `stop`, for whoever runs the service. Never carries anything.
        var runs: [AsyncStream<Never>.Continuation] = []
    }

    /// The service whose processor is running in this task.
    @TaskLocal private static var current: ObjectIdentifier?

    /// - Parameters:
    ///   - filter: which events the processor is given; all unless told otherwise.
    ///   - options: how they wait and how often a failed one is tried again; named after the processor unless given.
    public convenience init(
        _ processor: some Processor, bus: any EventBus, filter: EventFilter = .all,
        options: SubscriptionOptions? = nil, logger: Logger = Logger(label: "tidings.processor")
    ) {
        self.init(
            name: processor.name, work: SingleWork(processor: processor), bus: bus, filter: filter, options: options,
            logger: logger)
    }

    /// A service that makes one call of the deriver after the other, whatever the options say.
    public convenience init(
        _ deriver: some Deriver, bus: any EventBus, filter: EventFilter = .all, options: SubscriptionOptions? = nil,
        logger: Logger = Logger(label: "tidings.processor")
    ) {
        self.init(
            name: deriver.name, work: DeriverWork(deriver, subscriber: options?.name ?? deriver.name), bus: bus,
            filter: filter, options: options, logger: logger)
    }

    private init(
        name: String, work: any ProcessorWork, bus: any EventBus, filter: EventFilter, options: SubscriptionOptions?,
        logger: Logger
    ) {
        self.name = name
        self.work = work
        self.bus = bus
        self.filter = filter
        self.options = options ?? SubscriptionOptions(name: name)
        self.logger = logger
    }

    /// Counters of the subscription; `nil` while stopped.
    public var statistics: SubscriptionStatistics? {
        self.state.withLock { $0.subscription }?.statistics
    }

    /// What the processor has done, also while stopped.
    public var processing: ProcessorStatistics { self.work.processing }

    public var snapshot: ProcessorSnapshot { ProcessorSnapshot(name: self.name, statistics: self.processing) }

    // MARK: Lifetime

    /// Subscribes. Does nothing when started already.
    public func start() async throws(EventBusError) {
        guard self.state.withLock({ $0.subscription == nil }) else { return }
        let subscription = try self.bus.addHandler(to: self.filter, options: self.options) { event in
            try await self.handle(event)
        }
        let isSecond = self.state.withLock { state in
            if state.subscription != nil { return true }
            state.subscription = subscription
            state.timer = self.makeTimer()
            return false
        }
        if isSecond { subscription.cancel() }
    }

    /// Unsubscribes and waits for the call in progress; what waits in the subscription is left. Stop the bus first where
    /// everything is to be processed. Can be started again.
    public func stop() async {
        let (subscription, timer, runs) = self.state.withLock { state in
            defer {
                state.subscription = nil
                state.timer = nil
                state.runs = []
            }
            return (state.subscription, state.timer, state.runs)
        }
        subscription?.cancel()
        timer?.cancel()
        for run in runs { run.finish() }
        // From inside, this would wait for itself.
        guard Self.current != ObjectIdentifier(self) else { return }
        await timer?.value
        await self.calls.waitUntilNone()
    }

    /// Starts, waits until it is stopped or its task is cancelled, and stops. The shape of a `Service` of
    /// swift-service-lifecycle: run it under `cancelWhenGracefulShutdown`.
    public func run() async throws {
        // Nothing is ever put into it: it only ends, by `stop` or by cancellation.
        let (stream, continuation) = AsyncStream<Never>.makeStream(bufferingPolicy: .bufferingOldest(1))
        self.state.withLock { $0.runs.append(continuation) }
        try await self.start()
        for await _ in stream {}
        await self.stop()
    }

    /// The one task of the service: unstructured because `start` returns, ended and awaited by `stop`.
    private func makeTimer() -> Task<Void, Never>? {
        guard let interval = self.work.interval else { return nil }
        return Task {
            while !Task.isCancelled {
                do { try await Task.sleep(for: interval) } catch { return }
                await self.advance(to: .now())
            }
        }
    }

    // MARK: Work

    private func handle(_ event: StandardEvent) async throws {
        self.calls.begin()
        defer { self.calls.end() }
        try await Self.$current.withValue(ObjectIdentifier(self)) {
            try await self.work.process(event, on: self.bus)
        }
    }

    /// Lets time pass for a deriver.
    package func advance(to now: Timestamp) async {
        self.calls.begin()
        defer { self.calls.end() }
        do {
            try await Self.$current.withValue(ObjectIdentifier(self)) {
                try await self.work.advance(to: now, on: self.bus)
            }
        } catch {
            self.logger.info(
                "A processor failed as time passed",
                metadata: [LogKey.subscriber: "\(self.name)", LogKey.error: "\(type(of: error))"])
        }
    }
}

/// Calls in progress, for whoever waits until there are none.
private final class CallCount: Sendable {
    private struct State: ~Copyable {
        var count = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    func begin() {
        self.state.withLock { $0.count += 1 }
    }

    func end() {
        let done = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.count -= 1
            guard state.count == 0 else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in done { waiter.resume() }
    }

    func waitUntilNone() async {
        await withCheckedContinuation { continuation in
            let isNone = self.state.withLock { state in
                if state.count == 0 { return true }
                state.waiting.append(continuation)
                return false
            }
            if isNone { continuation.resume() }
        }
    }
}
