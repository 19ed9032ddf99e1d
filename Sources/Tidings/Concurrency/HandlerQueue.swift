import DequeModule

/// Which job runs next, and which thread is woken, started or sent home for it: the decisions of the executor, without
/// its threads. A thread is known by its slot, a number below `maximum`.
///
/// Invariant: while a thread is parked, there is a searching thread for every waiting job; so a job never waits for a
/// thread that nobody wakes, and no thread is woken for nothing but a job that a busy thread took first.
///
/// The lanes have no limit of their own and need none: a task has at most one job here, as it is either waiting, running
/// or suspended. What waits is bounded by the live tasks of the owners, which the subscriptions' options bound.
struct HandlerQueue<Work>: ~Copyable {
    /// What to do for a job that was added.
    enum Demand: Equatable {
        /// A searching thread will take it.
        case none
        /// Wake this parked thread.
        case wake(Int)
        /// Start a thread in this slot.
        case start(Int)
        /// Every thread is busy: the watcher grows the pool if that lasts.
        case press
    }

    /// What a thread does next.
    enum Order {
        case run(Work)
        /// Look for work a moment longer before parking, then ask again.
        case spin
        /// Sleep until woken, or for a while.
        case park
        /// A wake-up is under way: wait for it, then ask again.
        case awaitWake
        /// End; the slot is free again.
        case leave
    }

    static var laneCount: Int { 10 }
    /// Every so many jobs, the next lane in turn goes first.
    static var turn: Int { 16 }
    /// While spinning does not pay, every so many times that a thread parks it is tried again.
    static var probe: Int { 32 }
    static var mostSpinCredit: Int { 16 }

    let minimum: Int
    let maximum: Int

    /// Jobs waiting.
    private(set) var count = 0
    /// Jobs handed out so far.
    private(set) var taken: UInt64 = 0
    /// Threads that are there or being started.
    private(set) var threads = 0
    /// Threads on their way to a job: starting, waking or spinning.
    private(set) var searching = 0
    /// From now on no thread parks.
    private(set) var isStopping = false

    private var lanes: [Deque<Work>]
    private var occupied: UInt16 = 0
    private var laneInTurn = 0
    /// Parked threads, the last to park at the end: it is woken first, while its stack is still in the cache.
    private var parked: [Int] = []
    private var freeSlots: UInt64
    private var isSpinning = false
    /// Spins worth trying: those that found work earn more, the others use them up.
    private var spinCredit = 0
    /// Threads that parked without a spin.
    private var unspun: UInt64 = 0

    init(minimum: Int, maximum: Int) {
        precondition((1...64).contains(maximum), "an executor has 1 to 64 threads, was \(maximum)")
        precondition((1...maximum).contains(minimum), "the least number of threads is 1 to \(maximum), was \(minimum)")
        self.minimum = minimum
        self.maximum = maximum
        self.lanes = Array(repeating: Deque(), count: Self.laneCount)
        self.freeSlots = maximum == 64 ? .max : (1 << UInt64(maximum)) - 1
        self.parked.reserveCapacity(maximum)
    }

    var parkedCount: Int { self.parked.count }

    // MARK: - Jobs

    mutating func add(_ work: Work, lane: Int) -> Demand {
        self.lanes[lane].append(work)
        self.occupied |= 1 << UInt16(lane)
        self.count += 1
        return self.demand()
    }

    /// What the waiting jobs need. To be asked after anything that may break the invariant.
    mutating func demand() -> Demand {
        guard self.count > self.searching else { return .none }
        if let slot = self.parked.popLast() {
            self.searching += 1
            return .wake(slot)
        }
        if self.threads < self.minimum { return .start(self.reserveSlot()) }
        return .press
    }

    private mutating func pop() -> Work? {
        guard self.occupied != 0 else { return nil }
        self.taken &+= 1
        var lane = self.occupied.trailingZeroBitCount
        if self.taken % UInt64(Self.turn) == 0 {
            // Urgent work may never end; one job in sixteen goes to the lanes in turn, so that nothing starves.
            let following = self.occupied & ~((1 << UInt16(self.laneInTurn)) - 1)
            if following != 0 { lane = following.trailingZeroBitCount }
            self.laneInTurn = (lane + 1) % Self.laneCount
        }
        let work = self.lanes[lane].removeFirst()
        if self.lanes[lane].isEmpty { self.occupied &= ~(1 << UInt16(lane)) }
        self.count -= 1
        return work
    }

    // MARK: - Threads

    /// For a thread that has finished a job.
    mutating func next(for slot: Int, maySpin: Bool) -> Order {
        if let work = self.pop() { return .run(work) }
        if self.isStopping { return self.leave(slot) }
        if maySpin, !self.isSpinning {
            if self.spinCredit > 0 || self.unspun % UInt64(Self.probe) == 0 {
                self.isSpinning = true
                self.searching += 1
                return .spin
            }
            self.unspun &+= 1
        }
        self.parked.append(slot)
        return .park
    }

    /// For a thread that was started or woken.
    mutating func arrived(_ slot: Int) -> Order {
        self.searching -= 1
        return self.next(for: slot, maySpin: false)
    }

    /// For the thread that was told to spin.
    mutating func spun(_ slot: Int) -> Order {
        self.isSpinning = false
        if self.count > 0 {
            self.spinCredit = min(self.spinCredit + 2, Self.mostSpinCredit)
        } else {
            self.spinCredit = max(self.spinCredit - 1, 0)
            self.unspun &+= 1
        }
        return self.arrived(slot)
    }

    /// For a thread that has been parked long enough.
    mutating func expired(_ slot: Int) -> Order {
        guard let index = self.parked.firstIndex(of: slot) else { return .awaitWake }
        self.parked.remove(at: index)
        return self.leave(slot)
    }

    /// The system had no thread for this slot.
    mutating func startFailed(_ slot: Int) {
        self.searching -= 1
        _ = self.leave(slot)
    }

    /// Room for as many more threads as there are waiting jobs that no thread is on its way to; at most doubles the pool.
    /// The caller has seen that every thread is held.
    mutating func grow() -> [Int] {
        let wanted = min(self.count - self.searching, max(self.threads, 1), self.maximum - self.threads)
        guard wanted > 0, self.parked.isEmpty else { return [] }
        return (0..<wanted).map { _ in self.reserveSlot() }
    }

    /// From now on a thread ends as soon as it finds no work; the parked ones are to be woken for that.
    mutating func stop() -> [Int] {
        self.isStopping = true
        defer { self.parked.removeAll() }
        self.searching += self.parked.count
        return self.parked
    }

    private mutating func reserveSlot() -> Int {
        let slot = self.freeSlots.trailingZeroBitCount
        self.freeSlots &= self.freeSlots &- 1
        self.threads += 1
        self.searching += 1
        return slot
    }

    private mutating func leave(_ slot: Int) -> Order {
        self.freeSlots |= 1 << UInt64(slot)
        self.threads -= 1
        return .leave
    }
}
