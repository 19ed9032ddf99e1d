import Synchronization

/// Where one worker states that its call of a handler begins and ends, for the watcher to see; made by
/// ``HandlerExecutor/watchCalls(deadline:grace:onOverrun:)`` once for each worker, not for each call.
///
/// One call at a time: ``begin(at:)`` and ``end()`` are for the worker alone and cost a few atomic operations, no lock
/// and no system call, but that the first call after a quiet time wakes the watcher. ``pause(_:at:)`` and ``resume(_:at:)``
/// may come from any task of the call.
package final class CallSlot: Sendable {
    /// Tells the calls of one slot apart.
    package struct Call: Sendable, Hashable {
        fileprivate let number: UInt64
    }

    /// A call took too long.
    package struct Overrun: Sendable {
        package enum Limit: Sendable {
            case deadline
            /// Deadline and grace.
            case grace
        }

        package let call: Call
        package let limit: Limit
        /// How long it has run, without the time it was paused.
        package let duration: Duration
    }

    /// How a call ended.
    package enum Outcome: Sendable {
        /// Nothing was or will be reported of it.
        case inTime
        /// The deadline's overrun was reported, or is being so at this moment.
        case pastDeadline
        /// Both overruns were reported, or are being so.
        case pastGrace
    }

    /// The low bits of `state`; above them stands the number of the call.
    private enum Stage: UInt64 {
        case idle
        case running
        case pastDeadline
        case pastGrace
    }

    /// The pauses of one call; those of an earlier call count for nothing.
    private struct Pauses {
        var call: UInt64 = 0
        var depth = 0
        var since: Int64 = 0
        var total: Int64 = 0
    }

    let deadline: Int64
    private let grace: Int64
    private let executor: HandlerExecutor
    private let onOverrun: @Sendable (Overrun) -> Void
    private let startedAt = Atomic<Int64>(0)
    /// The worker moves it on when a call begins and ends; the watcher from stage to stage of the same call, by
    /// compare-and-exchange: so an overrun is either seen by ``end()`` or did not happen.
    private let state = Atomic<UInt64>(0)
    private let pauses = Locked(Pauses())
    /// What the watcher saw last; its own.
    private let seen = Atomic<UInt64>(0)

    init(
        deadline: Duration?, grace: Duration, executor: HandlerExecutor,
        onOverrun: @escaping @Sendable (Overrun) -> Void
    ) {
        self.deadline = deadline.map { MonotonicClock.nanoseconds(in: $0) } ?? .max
        self.grace = MonotonicClock.nanoseconds(in: grace)
        self.executor = executor
        self.onOverrun = onOverrun
    }

    /// A call begins.
    /// - Parameter now: the monotonic clock, for who has just read it.
    @discardableResult
    package func begin(at now: Int64 = MonotonicClock.nanoseconds()) -> Call {
        let number = (self.state.load(ordering: .relaxed) >> 2) &+ 1
        guard self.deadline != .max else {
            self.state.store(number << 2 | Stage.running.rawValue, ordering: .releasing)
            return Call(number: number)
        }
        self.startedAt.store(now, ordering: .relaxed)
        self.state.store(number << 2 | Stage.running.rawValue, ordering: .sequentiallyConsistent)
        self.executor.watcher.arm(.coarse, for: self.executor)
        return Call(number: number)
    }

    /// The call has returned.
    package func end() -> Outcome {
        let number = self.state.load(ordering: .relaxed) >> 2
        let state = self.state.exchange(number << 2 | Stage.idle.rawValue, ordering: .acquiringAndReleasing)
        return switch Stage(rawValue: state & 3) {
        case .pastDeadline: .pastDeadline
        case .pastGrace: .pastGrace
        case .idle, .running, nil: .inTime
        }
    }

    /// From here to ``resume(_:at:)`` the call waits for others, and its deadline with it. Pauses of several tasks of the
    /// call may overlap; each wants its own `resume`. Nothing happens when the call is over.
    package func pause(_ call: Call, at now: Int64 = MonotonicClock.nanoseconds()) {
        self.pauses.withLock { pauses in
            guard self.isRunning(call) else { return }
            if pauses.call != call.number { pauses = Pauses(call: call.number) }
            if pauses.depth == 0 { pauses.since = now }
            pauses.depth += 1
        }
    }

    /// The call goes on.
    package func resume(_ call: Call, at now: Int64 = MonotonicClock.nanoseconds()) {
        self.pauses.withLock { pauses in
            guard pauses.call == call.number, pauses.depth > 0 else { return }
            pauses.depth -= 1
            if pauses.depth == 0 { pauses.total += max(now - pauses.since, 0) }
        }
    }

    private func isRunning(_ call: Call) -> Bool {
        let state = self.state.load(ordering: .acquiring)
        return state >> 2 == call.number && state & 3 != Stage.idle.rawValue
    }

    // MARK: - The watcher's side

    var isRunning: Bool { self.state.load(ordering: .sequentiallyConsistent) & 3 != Stage.idle.rawValue }

    /// Reports what is to be reported; true when a call runs, or ran since the last look.
    func look(at now: Int64) -> Bool {
        let state = self.state.load(ordering: .acquiring)
        let (number, stage) = (state >> 2, Stage(rawValue: state & 3) ?? .idle)
        let isNew = self.seen.exchange(state, ordering: .relaxed) != state
        let (limit, bound): (Overrun.Limit, Int64)
        switch stage {
        case .idle: return isNew
        case .running: (limit, bound) = (.deadline, self.deadline)
        case .pastDeadline: (limit, bound) = (.grace, self.deadline &+ self.grace)
        case .pastGrace: return true
        }
        // The worker may be at its next call by now; then this is too short a time and the exchange below fails.
        let ran = now - self.startedAt.load(ordering: .relaxed) - self.paused(of: number, at: now)
        guard ran >= bound else { return true }
        let next: Stage = limit == .deadline ? .pastDeadline : .pastGrace
        let (isStill, _) = self.state.compareExchange(
            expected: state, desired: number << 2 | next.rawValue, ordering: .acquiringAndReleasing)
        if isStill {
            self.onOverrun(Overrun(call: Call(number: number), limit: limit, duration: .nanoseconds(ran)))
        }
        return true
    }

    private func paused(of number: UInt64, at now: Int64) -> Int64 {
        self.pauses.withLock { pauses in
            guard pauses.call == number else { return 0 }
            return pauses.total + (pauses.depth > 0 ? max(now - pauses.since, 0) : 0)
        }
    }
}
