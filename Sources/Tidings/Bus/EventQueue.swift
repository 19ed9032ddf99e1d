import Synchronization

/// What waits in one subscription, with its lock, the consumers that wait for events and the publishers that wait for
/// room.
///
/// Continuations are taken under the lock and resumed outside it; none carries a value, whoever is resumed looks again.
final class EventQueue: Sendable {
    typealias Delivery = SubscriptionBuffer.Delivery
    private typealias Waiter = UnsafeContinuation<Void, Never>

    private struct State: ~Copyable {
        var buffer: SubscriptionBuffer
        var conflation: ConflationBuffer
        var schedule: KeyedSchedule?
        /// Consumers that found nothing.
        var consumers: [Waiter] = []
        var waitingForRoom: [Waiter] = []
        var waitingForIdle: [Waiter] = []
        /// Consumers that hold events which they have not finished with.
        var holders = 0
        var isFinished = false
        var latency = LatencyHistogram()

        /// Calls of the handler that will not end, so that there is nothing to wait for.
        var stuckCalls = 0

        /// Whether a consumer may take more.
        var canTake: Bool { self.schedule?.hasRoom ?? true }
        var isEmpty: Bool { self.buffer.isEmpty && self.conflation.isEmpty }
        var isIdle: Bool { self.stuckCalls > 0 || (self.isEmpty && self.holders == 0) }
    }

    let id: UInt64
    let name: String
    private let isHandlers: Bool
    private let capacity: Int
    private let overflow: SubscriptionOptions.Overflow
    private let key: EventKey?
    private let sharing: Int
    private let state: Locked<State>
    /// What waits or is promised room, in the units of the capacity; only where publishers wait for room.
    private let used = Atomic<Int>(0)
    /// The lanes in which something waits, for consumers to look at between two events.
    private let lanes = Atomic<UInt16>(0)
    private let isEnded = Atomic<Bool>(false)
    private let patience = Patience()
    /// Whether what was waiting was thrown away: the subscription was cancelled.
    private let isThrownAway = Atomic<Bool>(false)

    /// - Parameter isHandlers: whether a handler draws from it, so that witnesses hear of what is dropped.
    init(id: UInt64, options: SubscriptionOptions, isHandlers: Bool) {
        self.id = id
        self.isHandlers = isHandlers
        self.name = options.name
        self.capacity = options.capacity
        self.overflow = options.overflow
        self.key = if case .conflate(let key) = options.overflow { key } else { nil }
        let schedule: KeyedSchedule?
        switch isHandlers ? options.concurrency : .serial {
        case .serial:
            self.sharing = 1
            schedule = nil
        case .parallel(let count):
            self.sharing = max(count, 1)
            schedule = nil
        case .keyed(let count, let key):
            self.sharing = max(count, 1)
            schedule = KeyedSchedule(by: key)
        }
        self.state = Locked(
            State(
                buffer: SubscriptionBuffer(capacity: options.capacity, overflow: options.overflow),
                conflation: ConflationBuffer(capacity: options.capacity), schedule: schedule))
    }

    /// How many consumers share what waits.
    var consumerCount: Int { self.sharing }

    var waitsForRoom: Bool { if case .wait = self.overflow { true } else { false } }

    // MARK: Publishers

    /// Promises room, where publishers wait for it. More than the whole capacity is let in when nothing else waits.
    func reserve(_ weight: Int) -> Bool {
        guard self.waitsForRoom, !self.isEnded.load(ordering: .relaxed) else { return true }
        var used = self.used.load(ordering: .relaxed)
        while used + weight <= self.capacity || used == 0 {
            let (exchanged, original) = self.used.compareExchange(
                expected: used, desired: used + weight, ordering: .relaxed)
            if exchanged { return true }
            used = original
        }
        return false
    }

    /// Gives back room that was promised and not used.
    func release(_ weight: Int) {
        guard self.waitsForRoom else { return }
        self.used.wrappingSubtract(weight, ordering: .relaxed)
        self.wakeRoomWaiters()
    }

    /// Takes events in, for which room was reserved where publishers wait for it.
    func offer(_ selection: EventSelection, at now: Int64) {
        var refused = false
        var abandoned: [EventSelection] = []
        let consumer = self.state.withLock { state -> Waiter? in
            guard !state.isFinished else {
                refused = true
                return nil
            }
            if let key = self.key {
                for index in selection.indices {
                    state.conflation.offer(
                        selection.batch.slots[index], witness: selection.batch.witness,
                        key: key.hash(selection.batch.slots[index]), at: now)
                }
                if state.conflation.hasAbandoned { abandoned = state.conflation.takeAbandoned() }
            } else {
                state.buffer.offer(selection, at: now)
                if state.buffer.hasAbandoned { abandoned = state.buffer.takeAbandoned() }
            }
            self.publishLanes(&state)
            return state.consumers.popLast()
        }
        consumer?.resume()
        if refused { self.abandon(selection) }
        if !abandoned.isEmpty { for selection in abandoned { self.abandon(selection) } }
    }

    private func abandon(_ selection: EventSelection) {
        guard self.isHandlers, let witness = selection.batch.witness else { return }
        for index in selection.indices { witness.settled(selection.batch.slots[index], .abandoned) }
    }

    private func publishLanes(_ state: inout State) {
        let lanes = state.buffer.occupied | state.conflation.occupied
        if self.lanes.load(ordering: .relaxed) != lanes { self.lanes.store(lanes, ordering: .relaxed) }
    }

    /// Returns once some room may have become free, the queue has ended, or nobody wants to wait any more.
    func waitForRoom(_ weight: Int, _ limit: RoomLimit? = nil) async {
        await withUnsafeContinuation { (waiter: Waiter) in
            let mustWait = self.state.withLock { state in
                let used = self.used.load(ordering: .relaxed)
                if state.isFinished || used + weight <= self.capacity || used == 0 || limit?.isReached == true {
                    return false
                }
                state.waitingForRoom.append(waiter)
                return true
            }
            if !mustWait { waiter.resume() }
        }
    }

    /// Lets everybody who waits for room look again, at the clock as well.
    func wakeRoomWaiters() {
        let woken = self.state.withLock { state in
            let woken = state.waitingForRoom
            state.waitingForRoom = []
            return woken
        }
        for waiter in woken { waiter.resume() }
    }

    // MARK: Consumers

    /// The next events; `nil` once the queue has ended and is empty.
    ///
    /// - Parameter finished: what this consumer was handed before and is done with.
    func next(after finished: Delivery? = nil) async -> Delivery? {
        var finished = finished
        while true {
            switch self.takeNow(after: finished) {
            case .delivery(let delivery): return delivery
            case .ended: return nil
            case .empty: break
            }
            finished = nil
            if self.patience.spin({ self.lanes.load(ordering: .relaxed) != 0 }) { continue }
            await withUnsafeContinuation { (waiter: Waiter) in
                let mustWait = self.state.withLock { state in
                    guard state.isEmpty && !state.isFinished || !state.canTake else { return false }
                    state.consumers.append(waiter)
                    return true
                }
                if !mustWait { waiter.resume() }
            }
        }
    }

    enum Outcome {
        case delivery(Delivery)
        case empty
        case ended
    }

    /// What ``next(after:)`` returns, if that is known without waiting.
    func takeNow(after finished: Delivery?) -> Outcome {
        let now = MonotonicClock.nanoseconds()
        var woken: [Waiter] = []
        var consumer: Waiter?
        let outcome = self.state.withLock { state -> Outcome in
            if finished != nil { state.holders -= 1 }
            guard let delivery = self.nextDelivery(&state, after: finished, at: now) else {
                if state.isIdle && !state.waitingForIdle.isEmpty {
                    woken = state.waitingForIdle
                    state.waitingForIdle = []
                }
                return state.isFinished && state.isEmpty ? .ended : .empty
            }
            state.holders += 1
            state.latency.record(nanoseconds: now - delivery.offeredAt, times: UInt64(delivery.selection.count))
            self.publishLanes(&state)
            if self.waitsForRoom {
                self.used.wrappingSubtract(delivery.selection.weight, ordering: .relaxed)
                if !state.waitingForRoom.isEmpty {
                    woken = state.waitingForRoom
                    state.waitingForRoom = []
                }
            }
            if self.sharing > 1 && !state.isEmpty { consumer = state.consumers.popLast() }
            return .delivery(delivery)
        }
        consumer?.resume()
        if !woken.isEmpty { for waiter in woken { waiter.resume() } }
        return outcome
    }

    private func nextDelivery(_ state: inout State, after finished: Delivery?, at now: Int64) -> Delivery? {
        if self.sharing == 1 {
            return self.key == nil ? state.buffer.take(at: now) : state.conflation.take(at: now)
        }
        guard state.schedule != nil else {
            // One at a time: what one took would wait behind a slow call while others have nothing to do.
            return self.key == nil ? state.buffer.take(at: now, limit: 1) : state.conflation.take(at: now, limit: 1)
        }
        if let finished, let next = state.schedule?.finish(finished) { return next }
        while state.canTake {
            let taken =
                self.key == nil ? state.buffer.take(at: now, limit: 1) : state.conflation.take(at: now, limit: 1)
            guard let taken else { return nil }
            if let delivery = state.schedule?.admit(taken) { return delivery }
        }
        return nil
    }

    /// Notes that a consumer has finished with what it took, and is not coming back.
    func leave(after finished: Delivery) {
        var abandoned: [EventSelection] = []
        let woken = self.state.withLock { state -> [Waiter] in
            state.holders -= 1
            // What is aside for the same key goes back to where others find it.
            for aside in (state.schedule?.release(finished) ?? []).reversed() {
                if let key = self.key {
                    state.conflation.putBack(aside.selection, key: key.hash, offeredAt: aside.offeredAt)
                } else {
                    // What is aside has kept its room all the time.
                    state.buffer.putBack(aside.selection, offeredAt: aside.offeredAt)
                }
            }
            abandoned = state.conflation.takeAbandoned()
            self.publishLanes(&state)
            guard state.isIdle else { return [] }
            let woken = state.waitingForIdle
            state.waitingForIdle = []
            return woken
        }
        for waiter in woken { waiter.resume() }
        for selection in abandoned { self.abandon(selection) }
    }

    /// Notes that so many more, or fewer, calls of the handler will not end: who waits for it to become idle waits no
    /// longer. A call may return before it was noted that it would not, so this counts.
    func noteStuck(_ calls: Int) {
        let woken = self.state.withLock { state -> [Waiter] in
            state.stuckCalls += calls
            guard state.isIdle else { return [] }
            let woken = state.waitingForIdle
            state.waitingForIdle = []
            return woken
        }
        for waiter in woken { waiter.resume() }
    }

    /// Takes out everything that waits, because nobody will come for it.
    func takeAll() -> [Delivery] {
        self.state.withLock { state in
            var taken: [Delivery] = []
            while let delivery = state.buffer.take(at: 0) { taken.append(delivery) }
            while let delivery = state.conflation.take(at: 0) { taken.append(delivery) }
            taken += state.schedule?.removeAll() ?? []
            self.publishLanes(&state)
            return taken
        }
    }

    /// Whether something more urgent than `lane` waits; cheap enough to ask after every event.
    @inline(__always)
    func hasUrgent(before lane: Int) -> Bool {
        self.lanes.load(ordering: .relaxed) & ((1 << UInt16(lane)) &- 1) != 0
    }

    /// Gives back what was taken and not handled.
    func putBack(_ rest: EventSelection, offeredAt: Int64) {
        var consumer: Waiter?
        let abandoned = self.state.withLock { state in
            if let key = self.key {
                state.conflation.putBack(rest, key: key.hash, offeredAt: offeredAt)
            } else {
                state.buffer.putBack(rest, offeredAt: offeredAt)
                if self.waitsForRoom { self.used.wrappingAdd(rest.weight, ordering: .relaxed) }
            }
            self.publishLanes(&state)
            if self.sharing > 1 { consumer = state.consumers.popLast() }
            return state.conflation.takeAbandoned()
        }
        consumer?.resume()
        for selection in abandoned { self.abandon(selection) }
    }

    /// Ends the queue: what waits can still be drawn, nothing is taken in any more.
    func finish(discarding: Bool) {
        self.isEnded.store(true, ordering: .relaxed)
        if discarding { self.isThrownAway.store(true, ordering: .relaxed) }
        var thrownAway: [EventSelection] = []
        let woken = self.state.withLock { state -> [Waiter] in
            state.isFinished = true
            if discarding {
                while let delivery = state.buffer.take(at: 0) { thrownAway.append(delivery.selection) }
                while let delivery = state.conflation.take(at: 0) { thrownAway.append(delivery.selection) }
                thrownAway += state.schedule?.removeAll().map(\.selection) ?? []
                self.publishLanes(&state)
            }
            var woken = state.consumers + state.waitingForRoom
            state.consumers = []
            state.waitingForRoom = []
            if state.isIdle {
                woken += state.waitingForIdle
                state.waitingForIdle = []
            }
            return woken
        }
        for waiter in woken { waiter.resume() }
        for selection in thrownAway { self.abandon(selection) }
    }

    /// Takes events in again after it had ended.
    func reopen() {
        self.state.withLock { state in
            state.isFinished = false
            self.used.store(state.buffer.weight, ordering: .relaxed)
        }
        self.isEnded.store(false, ordering: .relaxed)
    }

    /// Whether the subscription was cancelled.
    var isDiscarded: Bool { self.isThrownAway.load(ordering: .relaxed) }

    /// Returns once everything taken in so far has been handled, or thrown away.
    func waitUntilIdle() async {
        await withUnsafeContinuation { (waiter: Waiter) in
            let isIdle = self.state.withLock { state in
                if state.isIdle { return true }
                state.waitingForIdle.append(waiter)
                return false
            }
            if isIdle { waiter.resume() }
        }
    }

    // MARK: Counting

    struct Counters {
        var pending: Int
        var dropped: UInt64
        var conflated: UInt64
        /// When what waits longest was offered.
        var oldestOffer: Int64?
        var latency: LatencyHistogram
    }

    var counters: Counters {
        self.state.withLock { state in
            Counters(
                pending: state.buffer.count + state.conflation.count + (state.schedule?.asideCount ?? 0),
                dropped: state.buffer.dropped + state.conflation.dropped, conflated: state.conflation.conflated,
                oldestOffer: [state.buffer.oldestOffer, state.conflation.oldestOffer].compactMap(\.self).min(),
                latency: state.latency)
        }
    }
}
