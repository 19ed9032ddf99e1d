import Synchronization

/// Plain threads for handlers, so that one that blocks holds up neither the cooperative threads, on which log and gateway
/// depend, nor the other handlers.
///
/// There is no thread before the first job. Up to ``Configuration/minimum`` threads start as jobs come; more only while
/// jobs wait and every thread has been held by the same job for 5 ms, up to ``Configuration/maximum``. A thread that
/// finds no work for ``Configuration/idleTime`` ends, the last one too, so an executor that nobody uses costs nothing
/// and goes away with its last reference.
///
/// Each subscription has an ``Owner`` of its own and runs its tasks with `Task(executorPreference: owner)`; so it is
/// known whose job a thread runs. A watcher thread grows the pool, names owners that hold a thread too long, and
/// watches the deadlines of calls (``watchCalls(deadline:grace:onOverrun:)``).
///
/// Jobs of an owner of lower priority number run first, jobs of the same priority in the order they came; one job in
/// sixteen is taken from the priorities in turn, so none starves. Everything here may be called from any thread.
package final class HandlerExecutor: Sendable {
    package struct Configuration: Sendable {
        /// Threads that start as soon as a job finds none idle; at least 1.
        package var minimum: Int
        /// The most threads, 1 to 64.
        package var maximum: Int = 64
        /// A thread that finds no work for so long ends.
        package var idleTime: Duration = .seconds(10)
        /// A job that holds its thread so long is reported to its owner.
        package var blockedAfter: Duration = .seconds(1)
        /// How long a thread looks for work before it parks. One thread at a time does, and only while that pays: while
        /// jobs did come within this time.
        package var spinTime: Duration = .microseconds(10)

        /// One thread a core, at least two.
        package init() {
            self.minimum = max(PlainThread.coreCount, 2)
        }
    }

    /// What a reading of the pool says, for metrics and tests.
    package struct Snapshot: Sendable {
        /// Threads there are, and those that wait for work.
        package var threads: Int
        package var idle: Int
        /// Jobs that wait for a thread.
        package var waiting: Int
        /// Jobs begun so far.
        package var jobs: UInt64
        /// How often the watcher has woken up so far, and whether it sleeps until there is something to watch.
        package var watcherWakeUps: Int
        package var isWatcherParked: Bool
    }

    struct Job {
        let job: UnownedJob
        let owner: Owner
    }

    /// Everything that changes, but for what the threads publish in atomics.
    struct Pool: ~Copyable {
        var queue: HandlerQueue<Job>
        /// By slot.
        var threads: [HandlerThread?]
        /// Whose job the thread in a slot runs.
        var running: [Owner?]
        var shutdowns: [(deadline: Int64, continuation: CheckedContinuation<[HandlerHold], Never>)] = []
    }

    /// For all the buses of a process; never shut down.
    package static let shared = HandlerExecutor()

    let pool: Locked<Pool>
    let watcher = HandlerWatcher()
    let calls = Locked(WatchedCalls())
    let blockedAfter: Int64
    /// How many jobs wait, for the spinning thread to see without the lock.
    let waitingHint = Atomic<Int>(0)
    private let idleTime: Int64
    private let spinTime: Int64
    private let isStopping = Atomic<Bool>(false)

    package init(_ configuration: Configuration = Configuration()) {
        let maximum = configuration.maximum
        self.pool = Locked(
            Pool(
                queue: HandlerQueue(minimum: min(configuration.minimum, maximum), maximum: maximum),
                threads: Array(repeating: nil, count: maximum), running: Array(repeating: nil, count: maximum)))
        self.blockedAfter = MonotonicClock.nanoseconds(in: configuration.blockedAfter)
        self.idleTime = MonotonicClock.nanoseconds(in: configuration.idleTime)
        // On one core nothing comes while one spins.
        self.spinTime = PlainThread.coreCount > 1 ? MonotonicClock.nanoseconds(in: configuration.spinTime) : 0
    }

    package var snapshot: Snapshot {
        self.pool.withLock { pool in
            Snapshot(
                threads: pool.queue.threads, idle: pool.queue.parkedCount, waiting: pool.queue.count,
                jobs: pool.queue.taken, watcherWakeUps: self.watcher.wakeUps, isWatcherParked: self.watcher.isParked)
        }
    }

    /// What a thread that has nothing to do sleeps before it ends.
    var idleNanoseconds: Int { self.isStopping.load(ordering: .relaxed) ? 0 : Int(self.idleTime) }

    // MARK: - Jobs in

    func add(_ job: UnownedJob, of owner: Owner) {
        let demand = self.pool.withLock { pool in
            let demand = pool.queue.add(Job(job: job, owner: owner), lane: owner.lane)
            self.waitingHint.store(pool.queue.count, ordering: .relaxed)
            return (demand, Self.target(of: demand, in: pool))
        }
        self.meet(demand)
    }

    /// The thread to wake, found under the lock.
    static func target(of demand: HandlerQueue<Job>.Demand, in pool: borrowing Pool) -> HandlerThread? {
        if case .wake(let slot) = demand { pool.threads[slot] } else { nil }
    }

    private func meet(_ demand: (HandlerQueue<Job>.Demand, HandlerThread?)) {
        switch demand.0 {
        case .none: break
        case .wake: demand.1?.wake()
        case .start(let slot): self.start(slot)
        case .press: self.watcher.arm(.fine, for: self)
        }
    }

    // MARK: - Threads

    /// Starts a thread in a slot that has been reserved for it.
    func start(_ slot: Int) {
        let thread = HandlerThread(slot: slot)
        self.pool.withLock { $0.threads[slot] = thread }
        if PlainThread.start(named: "tidings-h\(slot)", { self.run(thread) }) { return }
        // The system has no thread left: its job waits for another thread, or for the watcher to try again.
        self.pool.withLock { pool in
            pool.threads[slot] = nil
            pool.queue.startFailed(slot)
        }
        self.watcher.arm(.fine, for: self)
    }

    private func run(_ thread: HandlerThread) {
        var order = self.pool.withLock { self.record($0.queue.arrived(thread.slot), of: thread, in: &$0) }
        while true {
            switch order {
            case .run(let job):
                thread.startedAt.store(MonotonicClock.nanoseconds(), ordering: .sequentiallyConsistent)
                self.watcher.arm(.coarse, for: self)
                job.job.runSynchronously(on: job.owner.asUnownedTaskExecutor())
                thread.startedAt.store(0, ordering: .releasing)
                order = self.pool.withLock { pool in
                    let order = pool.queue.next(for: thread.slot, maySpin: self.spinTime > 0)
                    return self.record(order, of: thread, in: &pool)
                }
            case .spin:
                self.spin()
                order = self.pool.withLock { self.record($0.queue.spun(thread.slot), of: thread, in: &$0) }
            case .park:
                let isWoken = thread.park(nanoseconds: self.idleNanoseconds)
                order = self.pool.withLock { pool in
                    let order = isWoken ? pool.queue.arrived(thread.slot) : pool.queue.expired(thread.slot)
                    return self.record(order, of: thread, in: &pool)
                }
            case .awaitWake:
                thread.park()
                order = self.pool.withLock { self.record($0.queue.arrived(thread.slot), of: thread, in: &$0) }
            case .leave:
                return
            }
        }
    }

    /// Notes under the lock what the thread does next.
    private func record(
        _ order: HandlerQueue<Job>.Order, of thread: HandlerThread, in pool: inout Pool
    ) -> HandlerQueue<Job>.Order {
        switch order {
        case .run(let job):
            pool.running[thread.slot] = job.owner
            self.waitingHint.store(pool.queue.count, ordering: .relaxed)
        case .leave:
            pool.running[thread.slot] = nil
            pool.threads[thread.slot] = nil
        case .spin, .park, .awaitWake:
            pool.running[thread.slot] = nil
        }
        return order
    }

    private func spin() {
        let end = MonotonicClock.nanoseconds() + self.spinTime
        // Without yielding the core: on a busy machine that costs a time slice, while the job waits for this thread.
        while self.waitingHint.load(ordering: .relaxed) == 0, MonotonicClock.nanoseconds() < end {}
    }

    // MARK: - The end

    /// Runs what waits, sends the threads home and waits until they are gone, but not for ever: a thread that is stuck in
    /// a blocking call cannot be ended from outside. After `bound` it is left behind, ends by itself if its job ever
    /// returns, and holds its memory until then.
    ///
    /// A job that comes later still runs, on a thread that starts for it and ends after it, so that no task hangs
    /// because its executor went first. To be called when the owners' tasks have ended.
    /// - Returns: who holds the threads that were left behind; none when all have ended.
    @discardableResult
    package func shutdown(within bound: Duration = .seconds(10)) async -> [HandlerHold] {
        let deadline = MonotonicClock.nanoseconds() &+ MonotonicClock.nanoseconds(in: bound)
        return await withCheckedContinuation { continuation in
            self.isStopping.store(true, ordering: .relaxed)
            let woken = self.pool.withLock { pool in
                pool.shutdowns.append((deadline, continuation))
                return pool.queue.stop().map { pool.threads[$0] }
            }
            for thread in woken { thread?.wake() }
            // It resumes the continuation when it sees the last thread gone, or the bound.
            self.watcher.arm(.fine, for: self)
        }
    }
}

extension MonotonicClock {
    /// A duration as nanoseconds, at most some hundred years: it may be added to the clock.
    static func nanoseconds(in duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        guard seconds < 4_000_000_000 else { return 4_000_000_000_000_000_000 }
        return max(seconds, 0) * 1_000_000_000 + max(attoseconds, 0) / 1_000_000_000
    }
}
