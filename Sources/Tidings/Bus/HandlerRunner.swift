import Synchronization

/// Calls the handler of one subscription: its workers, their deadlines, retries in place, and what is given up.
///
/// A worker is a task on the executor of handlers that takes events from the queue and calls the handler with one after
/// the other. When a call overruns its deadline the worker's task is cancelled; the worker ends after that call and another
/// takes its place. When the call overruns the grace as well its event is given up while it still runs, and the
/// subscription counts as stuck.
final class HandlerRunner: Sendable {
    /// What the bus does for its runners.
    struct Support: Sendable {
        /// Keeps an event that is given up, and tells of it; returns whether it is kept.
        let giveUp: @Sendable (GivenUp) async -> Bool
        /// Discards the letter of an event that was retried and handled.
        let forget: @Sendable (DeadLetter) async -> Void
        /// Tells that a handler holds its thread, or has let it go.
        let noteHold: @Sendable (_ subscription: Subscription, HandlerHold) -> Void
    }

    /// An event that its handler failed to handle for good.
    struct GivenUp: Sendable {
        let event: StandardEvent
        let subscription: Subscription
        let firstError: any Error
        let lastError: any Error
        let attempts: Int
        let firstFailedAt: Timestamp
        let isTimeout: Bool
        /// The letter that was being retried.
        let letter: DeadLetter?
    }

    private struct State {
        var workers: [UInt64: Task<Void, Never>] = [:]
        /// Pauses before another attempt, which stopping cuts short.
        var pauses: [UInt64: Task<Void, Never>] = [:]
        var reports: [UInt64: Task<Void, Never>] = [:]
        var nextID: UInt64 = 1
        var isStopping = false
        /// How often it was started.
        var generation: UInt64 = 0
    }

    let queue: EventQueue
    let subscription: Subscription
    let options: SubscriptionOptions
    let handler: @Sendable (StandardEvent) async throws -> Void
    let support: Support
    let executor: HandlerExecutor
    let owner: HandlerExecutor.Owner
    private let state = Locked(State())

    init(
        queue: EventQueue, subscription: Subscription, options: SubscriptionOptions, executor: HandlerExecutor,
        support: Support, handler: @escaping @Sendable (StandardEvent) async throws -> Void
    ) {
        self.queue = queue
        self.subscription = subscription
        self.options = options
        self.executor = executor
        self.support = support
        self.handler = EventTracer.current?.tracing(handler, named: options.name) ?? handler
        self.owner = executor.owner(named: options.name, priority: options.priority.lane) { hold in
            support.noteHold(subscription, hold)
        }
    }

    // MARK: Workers

    /// Starts the workers. Their tasks are unstructured because a bus works from its creation, without a scope around it;
    /// ``stop()`` waits for each.
    func start() {
        let generation = self.state.withLock { state in
            state.isStopping = false
            state.generation += 1
            return state.generation
        }
        for _ in 0..<self.queue.consumerCount { self.startWorker(generation) }
    }

    /// Another worker in the place of one whose task was cancelled; not for one that was left behind at the last stop, as
    /// the next start has started enough.
    func replaceWorker(of generation: UInt64) {
        if !self.queue.isDiscarded { self.startWorker(generation) }
    }

    private func startWorker(_ generation: UInt64) {
        self.state.withLock { state in
            guard state.generation == generation else { return }
            let id = state.nextID
            state.nextID += 1
            let worker = HandlerWorker(runner: self, generation: generation)
            let task = Task(executorPreference: self.owner) {
                await worker.run()
                self.state.withLock { _ = $0.workers.removeValue(forKey: id) }
            }
            worker.attach { task.cancel() }
            state.workers[id] = task
        }
    }

    /// Ends the queue and waits until the workers have emptied it. A call that is stuck is left behind, and what waits behind
    /// it is given up.
    func stop() async {
        self.cutPausesShort()
        self.queue.finish(discarding: false)
        await self.queue.waitUntilIdle()
        if self.subscription.counters.stuck.load(ordering: .relaxed) > 0 {
            for delivery in self.queue.takeAll() {
                let witness = delivery.selection.batch.witness
                for event in delivery.selection {
                    if let witness, witness.isDurable {
                        // Handed out again after the next start.
                        witness.settled(event, .abandoned)
                        continue
                    }
                    await self.giveUp(
                        event, [HandlerFailure.notReached], attempts: 0, at: .now(), isTimeout: true, witness)
                }
            }
        } else {
            for task in self.state.withLock({ Array($0.workers.values) }) { await task.value }
        }
        for task in self.state.withLock({ Array($0.reports.values) }) { await task.value }
    }

    /// Makes those who wait before another attempt give up now.
    func cutPausesShort() {
        let pauses = self.state.withLock { state in
            state.isStopping = true
            return Array(state.pauses.values)
        }
        for pause in pauses { pause.cancel() }
    }

    var isStopping: Bool { self.state.withLock { $0.isStopping } }

    /// Waits before another attempt; returns whether there is to be one.
    func pause(for delay: Duration) async -> Bool {
        let (id, pause) = self.state.withLock { state -> (UInt64, Task<Void, Never>?) in
            let id = state.nextID
            guard !state.isStopping else { return (id, nil) }
            state.nextID += 1
            let pause = Task { () -> Void in try? await Task.sleep(for: delay) }
            state.pauses[id] = pause
            return (id, pause)
        }
        guard let pause else { return false }
        await pause.value
        self.state.withLock { $0.pauses[id] = nil }
        return !self.isStopping && !self.queue.isDiscarded
    }

    // MARK: Giving up

    func giveUp(
        _ event: StandardEvent, _ errors: [any Error], attempts: Int, at moment: Timestamp, isTimeout: Bool,
        _ witness: (any EventWitness)?
    ) async {
        guard let first = errors.first, let last = errors.last else { return }
        self.subscription.counters.dead.wrappingAdd(1, ordering: .relaxed)
        let isKept = await self.support.giveUp(
            GivenUp(
                event: event, subscription: self.subscription, firstError: first, lastError: last, attempts: attempts,
                firstFailedAt: moment, isTimeout: isTimeout, letter: witness?.letter))
        // Where its letter could not be kept a durable subscription is not done with it: it comes again after the next start.
        witness?.settled(event, isKept || witness?.isDurable == false ? .dead : .abandoned)
    }

    /// The same for a call that does not return; from the watcher's thread, so in a task of its own, which ``stop()`` waits
    /// for.
    func giveUpRunning(_ event: StandardEvent, attempts: Int, _ witness: (any EventWitness)?) {
        let (deadline, grace) = (self.options.deadline ?? .zero, self.options.grace)
        self.state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            state.reports[id] = Task {
                await self.giveUp(
                    event, [HandlerFailure.grace(deadline, grace)], attempts: attempts, at: .now(), isTimeout: true,
                    witness)
                self.state.withLock { _ = $0.reports.removeValue(forKey: id) }
            }
        }
    }
}
