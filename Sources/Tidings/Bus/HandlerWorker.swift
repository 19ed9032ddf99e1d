import Synchronization

/// One task that takes events of a subscription and calls its handler.
final class HandlerWorker: Sendable {
    /// The call under way, for the watcher of deadlines.
    private struct Current {
        /// Cancels the task that the call runs in.
        var cancel: (@Sendable () -> Void)?
        var batch: EventBatch?
        var offeredAt: Int64 = 0
    }

    /// After so long without a pause a worker lets others have its thread, in nanoseconds.
    private static let turn: Int64 = 50_000_000

    private let runner: HandlerRunner
    private let generation: UInt64
    private let current = Locked(Current())
    /// The place in the batch of the event being handled, and which attempt it is.
    private let index = Atomic<Int>(0)
    private let attempts = Atomic<Int>(0)
    /// What was taken and comes after it.
    private let rest = Atomic<UInt64>(0)

    /// - Parameter generation: of the workers that were started together.
    init(runner: HandlerRunner, generation: UInt64) {
        self.runner = runner
        self.generation = generation
    }

    func attach(_ cancel: @escaping @Sendable () -> Void) {
        self.current.withLock { $0.cancel = cancel }
    }

    // MARK: Handling

    func run() async {
        let runner = self.runner
        let slot = runner.executor.watchCalls(
            deadline: runner.options.deadline, grace: runner.options.grace
        ) { [weak self] in self?.noteOverrun($0) }
        defer { runner.executor.unwatch(slot) }
        var durations: ContiguousArray<Int64> = []
        durations.reserveCapacity(EventBatch.capacity)
        var finished: EventQueue.Delivery?
        var turnBegan = MonotonicClock.nanoseconds()
        while let delivery = await runner.queue.next(after: finished) {
            let isSound = await self.handle(delivery, slot, &durations)
            runner.subscription.counters.durations.withLock { histogram in
                for duration in durations { histogram.record(nanoseconds: duration) }
            }
            durations.removeAll(keepingCapacity: true)
            guard isSound else {
                // The task was cancelled because of a deadline: another takes over.
                runner.queue.leave(after: delivery)
                runner.replaceWorker(of: self.generation)
                return
            }
            finished = delivery
            // A handler that never suspends under a load that never ends would look as if it blocked the thread.
            if MonotonicClock.nanoseconds() - turnBegan > Self.turn {
                await Task.yield()
                turnBegan = MonotonicClock.nanoseconds()
            }
        }
    }

    /// Handles events until there are no more, or more urgent ones wait; returns whether this task can go on.
    private func handle(
        _ delivery: EventQueue.Delivery, _ slot: CallSlot, _ durations: inout ContiguousArray<Int64>
    ) async -> Bool {
        let (queue, batch) = (self.runner.queue, delivery.selection.batch)
        self.current.withLock { current in
            current.batch = batch
            current.offeredAt = delivery.offeredAt
        }
        self.attempts.store(1, ordering: .relaxed)
        var rest = delivery.selection.mask
        var now = MonotonicClock.nanoseconds()
        while rest != 0 {
            if queue.isDiscarded {
                self.abandon(EventSelection(batch, mask: rest))
                return true
            }
            let index = rest.trailingZeroBitCount
            rest &= rest &- 1
            self.index.store(index, ordering: .relaxed)
            self.rest.store(rest, ordering: .relaxed)
            let isSound = await self.handle(batch.slots[index], batch.witness, slot, at: now)
            let end = MonotonicClock.nanoseconds()
            durations.append(end - now)
            now = end
            if !isSound {
                self.putBackRest(of: batch, offeredAt: delivery.offeredAt)
                return false
            }
            if rest != 0, queue.hasUrgent(before: delivery.lane) {
                queue.putBack(EventSelection(batch, mask: rest), offeredAt: delivery.offeredAt)
                return true
            }
        }
        return true
    }

    /// Gives back what was taken and comes after a call that overran: whoever is first, this worker or the watcher.
    private func putBackRest(of batch: EventBatch, offeredAt: Int64) {
        let rest = self.rest.exchange(0, ordering: .acquiringAndReleasing)
        if rest != 0 { self.runner.queue.putBack(EventSelection(batch, mask: rest), offeredAt: offeredAt) }
    }

    private func abandon(_ selection: EventSelection) {
        guard let witness = selection.batch.witness else { return }
        for event in selection { witness.settled(event, .abandoned) }
    }

    /// Calls the handler with one event, as often as its policy says; returns whether this task can go on.
    @inline(__always)
    private func handle(
        _ event: StandardEvent, _ witness: (any EventWitness)?, _ slot: CallSlot, at now: Int64
    ) async -> Bool {
        let outcome: CallSlot.Outcome
        do {
            outcome = try await self.call(event, slot, at: now)
        } catch {
            return await self.recover(event, witness, slot, slot.end(), error)
        }
        if case .inTime = outcome, witness == nil {
            self.runner.subscription.counters.delivered.wrappingAdd(1, ordering: .relaxed)
            return true
        }
        await self.settle(event, witness, outcome)
        if case .inTime = outcome { return true }
        return false
    }

    @inline(__always)
    private func call(_ event: StandardEvent, _ slot: CallSlot, at now: Int64) async throws -> CallSlot.Outcome {
        let call = HandlerCall(
            name: self.runner.options.name, subscriptionID: self.runner.queue.id, slot: slot,
            call: slot.begin(at: now))
        try await EventContext.$current.withValue(EventContext(event, handler: call)) {
            try await self.runner.handler(event)
        }
        return slot.end()
    }

    /// Notes that a call returned without an error; unless that was so late that its event had been given up.
    private func settle(
        _ event: StandardEvent, _ witness: (any EventWitness)?, _ outcome: CallSlot.Outcome
    ) async {
        if case .pastGrace = outcome { return self.noteReturn() }
        self.runner.subscription.counters.delivered.wrappingAdd(1, ordering: .relaxed)
        guard let witness else { return }
        if let letter = witness.letter { await self.runner.support.forget(letter) }
        witness.settled(event, .handled)
    }

    // MARK: Failures

    private struct Failed: Error {
        let outcome: CallSlot.Outcome
        let error: any Error
    }

    /// After a failed call: the further attempts, then the dead letters. Returns whether this task can go on, which it
    /// cannot once its own call was cancelled.
    private func recover(
        _ event: StandardEvent, _ witness: (any EventWitness)?, _ slot: CallSlot, _ outcome: CallSlot.Outcome,
        _ error: any Error
    ) async -> Bool {
        let (runner, counters) = (self.runner, self.runner.subscription.counters)
        // Whoever notes an overrun may cancel this task late, when the attempt that overran is over.
        var isSound = if case .inTime = outcome { true } else { false }
        let firstFailedAt = Timestamp.now()
        var (failed, first, attempts) = (Failed(outcome: outcome, error: error), error, 1)
        while true {
            counters.failed.wrappingAdd(1, ordering: .relaxed)
            if case .pastGrace = failed.outcome {
                self.noteReturn()
                return isSound
            }
            let isTimeout = if case .pastDeadline = failed.outcome { true } else { false }
            let last: any Error =
                isTimeout ? HandlerFailure.deadline(runner.options.deadline ?? .zero) : failed.error
            if attempts == 1 { first = last }
            let delay = runner.options.retry.delay(afterAttempt: attempts, error: last, random: .random(in: 0..<1))
            guard let pause = delay, await runner.pause(for: pause) else {
                if let witness, witness.isDurable, delay != nil, runner.isStopping || runner.queue.isDiscarded {
                    // There would have been another attempt: it is handed out again after the next start.
                    witness.settled(event, .abandoned)
                    return isSound
                }
                await runner.giveUp(
                    event, [first, last], attempts: attempts, at: firstFailedAt, isTimeout: isTimeout, witness)
                return isSound
            }
            attempts += 1
            counters.retried.wrappingAdd(1, ordering: .relaxed)
            switch await self.attempt(event, slot, attempts) {
            case .success(let outcome):
                if case .inTime = outcome {} else { isSound = false }
                await self.settle(event, witness, outcome)
                return isSound
            case .failure(let failure):
                if case .inTime = failure.outcome {} else { isSound = false }
                failed = failure
            }
        }
    }

    /// A further attempt, in a task of its own, which a deadline may cancel. Unstructured so that it is not cancelled
    /// with this worker's; awaited here.
    private func attempt(
        _ event: StandardEvent, _ slot: CallSlot, _ attempts: Int
    ) async -> Result<CallSlot.Outcome, Failed> {
        self.attempts.store(attempts, ordering: .relaxed)
        let own = self.current.withLock { $0.cancel }
        let task = Task(executorPreference: self.runner.owner) { () -> Result<CallSlot.Outcome, Failed> in
            do {
                return .success(try await self.call(event, slot, at: MonotonicClock.nanoseconds()))
            } catch {
                return .failure(Failed(outcome: slot.end(), error: error))
            }
        }
        self.attach { task.cancel() }
        let result = await task.value
        self.current.withLock { $0.cancel = own }
        self.attempts.store(1, ordering: .relaxed)
        return result
    }

    // MARK: Deadlines

    /// On the watcher's thread.
    private func noteOverrun(_ overrun: CallSlot.Overrun) {
        let current = self.current.withLock { $0 }
        switch overrun.limit {
        case .deadline:
            current.cancel?()
        case .grace:
            self.runner.subscription.counters.stuck.wrappingAdd(1, ordering: .relaxed)
            if let batch = current.batch {
                // Others may come for it, or it is given up when the bus stops.
                self.putBackRest(of: batch, offeredAt: current.offeredAt)
                let event = batch[self.index.load(ordering: .relaxed)]
                self.runner.giveUpRunning(
                    event, attempts: self.attempts.load(ordering: .relaxed), batch.witness)
            }
            self.runner.queue.noteStuck(1)
        }
    }

    /// A call whose event had been given up has returned after all.
    private func noteReturn() {
        self.runner.subscription.counters.stuck.wrappingSubtract(1, ordering: .relaxed)
        self.runner.queue.noteStuck(-1)
    }
}
