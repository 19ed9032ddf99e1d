import Synchronization

/// What the watcher does each time it looks.
extension HandlerExecutor {
    /// After so long with one job, a thread counts as held and the pool may grow.
    private static let heldAfter: Int64 = 5_000_000
    /// How closely the watcher looks at the least while jobs run.
    private static let leastInterval: Int64 = 10_000_000
    private static let mostInterval: Int64 = 100_000_000

    /// What the watcher remembers from one look to the next.
    struct Watch {
        /// The holds that were reported, by slot.
        fileprivate var reported: [Int: Hold] = [:]
        fileprivate var jobs: UInt64 = 0
    }

    /// One job on one thread: no two on the same thread began at the same nanosecond.
    fileprivate struct Hold {
        let slot: Int
        let startedAt: Int64
        let owner: Owner

        func report(_ phase: HandlerHold.Phase, at now: Int64) -> HandlerHold {
            HandlerHold(owner: self.owner.name, phase: phase, duration: .nanoseconds(now - self.startedAt))
        }
    }

    /// What one look at the pool asks for, to be done outside the lock.
    private struct Findings {
        var starts: [Int] = []
        var wakes: HandlerThread?
        /// Who holds a thread too long.
        var holds: [Hold] = []
        /// Who holds a thread while somebody waits for the threads to end.
        var left: [Hold] = []
        var leaving: [CheckedContinuation<[HandlerHold], Never>] = []
        var jobs: UInt64 = 0
        var isRunning = false
        var isPressed = false
    }

    /// Jobs wait or run, or calls run.
    var isActive: Bool {
        let isBusy = self.pool.withLock { pool in
            pool.queue.count > 0 || !pool.shutdowns.isEmpty || pool.threads.contains { $0?.isRunning == true }
        }
        return isBusy || self.calls.withLock { $0.slots }.values.contains { $0.isRunning }
    }

    /// Jobs wait, or somebody waits for the threads to end.
    var isPressed: Bool { self.pool.withLock { $0.queue.count > 0 || !$0.shutdowns.isEmpty } }

    func look(at now: Int64, _ watch: inout Watch) -> HandlerWatcher.Pulse {
        let findings = self.pool.withLock { self.find(at: now, in: &$0) }
        findings.wakes?.wake()
        for slot in findings.starts { self.start(slot) }
        self.report(findings.holds, at: now, &watch)
        let left = findings.left.map { $0.report(.blocked, at: now) }
        for continuation in findings.leaving { continuation.resume(returning: left) }
        let hasCalls = self.lookAtCalls(at: now)
        defer { watch.jobs = findings.jobs }
        let jobs = min(max(self.blockedAfter / 10, Self.leastInterval), Self.mostInterval)
        return HandlerWatcher.Pulse(
            isActive: findings.isRunning || findings.isPressed || hasCalls || findings.jobs != watch.jobs,
            isPressed: findings.isPressed,
            interval: min(jobs, self.calls.withLock { $0.interval }))
    }

    private func find(at now: Int64, in pool: inout Pool) -> Findings {
        var findings = Findings()
        var areAllHeld = true
        for case let thread? in pool.threads {
            // A job's owner is noted before it starts and after the one before it is over: what stands in `startedAt`
            // is 0 or belongs to the job of that owner.
            let startedAt = thread.startedAt.load(ordering: .acquiring)
            if startedAt == 0 || now - startedAt < Self.heldAfter { areAllHeld = false }
            guard startedAt != 0, let owner = pool.running[thread.slot] else { continue }
            findings.isRunning = true
            let hold = Hold(slot: thread.slot, startedAt: startedAt, owner: owner)
            if now - startedAt >= self.blockedAfter { findings.holds.append(hold) }
            if !pool.shutdowns.isEmpty { findings.left.append(hold) }
        }
        findings.jobs = pool.queue.taken
        if pool.queue.count > 0 {
            if areAllHeld { findings.starts = pool.queue.grow() }
            // Only after a thread could not be started is there a job that a parked thread was not woken for.
            let demand = pool.queue.demand()
            findings.wakes = Self.target(of: demand, in: pool)
            if case .start(let slot) = demand { findings.starts.append(slot) }
        }
        let threads = pool.queue.threads
        findings.leaving = pool.shutdowns.filter { threads == 0 || now >= $0.deadline }.map(\.continuation)
        pool.shutdowns.removeAll { threads == 0 || now >= $0.deadline }
        findings.isPressed = pool.queue.count > 0 || !pool.shutdowns.isEmpty
        return findings
    }

    /// Tells the owners of what is new.
    private func report(_ holds: [Hold], at now: Int64, _ watch: inout Watch) {
        for (slot, old) in watch.reported
        where !holds.contains(where: { $0.slot == slot && $0.startedAt == old.startedAt }) {
            watch.reported[slot] = nil
            old.owner.onHold?(old.report(.released, at: now))
        }
        for hold in holds where watch.reported[hold.slot] == nil {
            watch.reported[hold.slot] = hold
            hold.owner.onHold?(hold.report(.blocked, at: now))
        }
    }

    // MARK: - Calls

    /// The slots to look at.
    struct WatchedCalls: Sendable {
        var slots: [ObjectIdentifier: CallSlot] = [:]
        /// How closely they want to be looked at.
        var interval: Int64 = mostInterval
    }

    /// Has calls watched: gives a slot in which one worker states when its call of the handler begins and ends.
    ///
    /// The slot stays until ``unwatch(_:)`` and keeps the executor alive. Deadlines are noticed with a resolution of a
    /// tenth of the deadline, at least 10 ms and at most 100 ms.
    /// - Parameters:
    ///   - deadline: what a call may take, less the time it is paused; `nil` for as long as it likes.
    ///   - grace: what it may take beyond that.
    ///   - onOverrun: called once when a call has overrun its deadline and once more when it has overrun the grace too.
    ///     It runs on the watcher's thread and must not block.
    package func watchCalls(
        deadline: Duration?, grace: Duration, onOverrun: @escaping @Sendable (CallSlot.Overrun) -> Void
    ) -> CallSlot {
        let slot = CallSlot(deadline: deadline, grace: grace, executor: self, onOverrun: onOverrun)
        guard deadline != nil else { return slot }
        self.calls.withLock { calls in
            calls.slots[ObjectIdentifier(slot)] = slot
            calls.interval = min(calls.interval, Self.interval(for: slot))
        }
        self.watcher.hurry()
        return slot
    }

    /// Watches it no more. An overrun that is being reported at this moment still comes; ``CallSlot/end()`` tells of it.
    package func unwatch(_ slot: CallSlot) {
        self.calls.withLock { calls in
            calls.slots[ObjectIdentifier(slot)] = nil
            calls.interval = calls.slots.values.lazy.map(Self.interval).min() ?? Self.mostInterval
        }
    }

    private static func interval(for slot: CallSlot) -> Int64 {
        min(max(slot.deadline / 10, Self.leastInterval), Self.mostInterval)
    }

    /// Whether any call runs or ran since the last look.
    private func lookAtCalls(at now: Int64) -> Bool {
        var isActive = false
        for slot in self.calls.withLock({ $0.slots }).values where slot.look(at: now) { isActive = true }
        return isActive
    }
}
