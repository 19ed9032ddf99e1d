/// A ``SubscriptionBuffer`` with its lock, the consumer that waits for events and the publishers that wait for room.
///
/// Continuations are taken under the lock and resumed outside it.
final class EventQueue: Sendable {
    private struct State: ~Copyable {
        var buffer: SubscriptionBuffer
        var consumer: CheckedContinuation<SubscriptionBuffer.Delivery?, Never>?
        var waitingForRoom: [CheckedContinuation<Void, Never>] = []
        var waitingForIdle: [CheckedContinuation<Void, Never>] = []
        /// Whether a consumer holds events that it has not finished with.
        var isBusy = false
        var isFinished = false
        /// Whether what was waiting was thrown away.
        var isDiscarded = false
        var latency = LatencyHistogram()

        var isIdle: Bool { self.buffer.isEmpty && (!self.isBusy || self.isFinished) }
    }

    let id: UInt64
    let options: SubscriptionOptions
    private let state: Locked<State>

    init(id: UInt64, options: SubscriptionOptions) {
        self.id = id
        self.options = options
        let buffer = SubscriptionBuffer(capacity: options.capacity, overflow: options.overflow)
        self.state = Locked(State(buffer: buffer))
    }

    var waitsForRoom: Bool { self.options.overflow == .wait }

    // MARK: Publishers

    func reserve(_ events: Int) -> Bool {
        self.state.withLock { $0.isFinished || $0.buffer.reserve(events) }
    }

    func release(_ events: Int) {
        self.state.withLock { state in
            if !state.isFinished { state.buffer.release(events) }
        }
        self.wakeWaiters()
    }

    /// - Parameter reserved: what was reserved for this selection before.
    func offer(_ selection: EventSelection, at now: Int64, reserved: Int) {
        let woken = self.state.withLock {
            state -> (CheckedContinuation<SubscriptionBuffer.Delivery?, Never>, SubscriptionBuffer.Delivery)? in
            guard !state.isFinished else { return nil }
            state.buffer.offer(selection, at: now, reserved: reserved)
            guard let consumer = state.consumer, let delivery = state.buffer.take() else { return nil }
            state.consumer = nil
            state.isBusy = true
            state.latency.record(nanoseconds: now - delivery.offeredAt, times: UInt64(delivery.selection.count))
            return (consumer, delivery)
        }
        if let (consumer, delivery) = woken { consumer.resume(returning: delivery) }
    }

    /// Returns once some room may have become free, or the queue has ended.
    func waitForRoom(_ events: Int) async {
        await withCheckedContinuation { continuation in
            let mustWait = self.state.withLock { state in
                if state.isFinished { return false }
                if state.buffer.reserve(events) {
                    state.buffer.release(events)
                    return false
                }
                state.waitingForRoom.append(continuation)
                return true
            }
            if !mustWait { continuation.resume() }
        }
    }

    // MARK: Consumer

    /// The next events; `nil` once the queue has ended and is empty. For one consumer at a time.
    func next() async -> SubscriptionBuffer.Delivery? {
        if let delivery = self.takeNow() { return delivery }
        return await withCheckedContinuation { continuation in
            enum Outcome {
                case wait
                case deliver(SubscriptionBuffer.Delivery)
                case end
            }
            let outcome = self.state.withLock { state -> Outcome in
                if let delivery = state.buffer.take() {
                    state.isBusy = true
                    return .deliver(delivery)
                }
                if state.isFinished { return .end }
                state.consumer = continuation
                return .wait
            }
            switch outcome {
            case .wait: self.wakeWaiters()
            case .deliver(let delivery): continuation.resume(returning: delivery)
            case .end:
                self.wakeWaiters()
                continuation.resume(returning: nil)
            }
        }
    }

    private func takeNow() -> SubscriptionBuffer.Delivery? {
        let now = MonotonicClock.nanoseconds()
        let delivery = self.state.withLock { state -> SubscriptionBuffer.Delivery? in
            let delivery = state.buffer.take()
            state.isBusy = delivery != nil
            if let delivery {
                state.latency.record(nanoseconds: now - delivery.offeredAt, times: UInt64(delivery.selection.count))
            }
            return delivery
        }
        self.wakeWaiters()
        return delivery
    }

    /// Gives back what was taken when something more urgent has come in; returns whether it did.
    func yieldToUrgent(_ rest: EventSelection, lane: Int, offeredAt: Int64) -> Bool {
        self.state.withLock { state in
            guard state.buffer.hasUrgent(before: lane) else { return false }
            state.buffer.putBack(rest, offeredAt: offeredAt)
            return true
        }
    }

    /// Ends the queue: what waits can still be drawn, nothing is taken in any more.
    func finish(discarding: Bool) {
        let consumer = self.state.withLock { state -> CheckedContinuation<SubscriptionBuffer.Delivery?, Never>? in
            state.isFinished = true
            if discarding {
                state.isDiscarded = true
                while state.buffer.take() != nil {}
            }
            let consumer = state.consumer
            state.consumer = nil
            return consumer
        }
        consumer?.resume(returning: nil)
        self.wakeWaiters()
    }

    /// Takes events in again after it had ended.
    func reopen() {
        self.state.withLock { state in
            state.isFinished = false
            state.isBusy = false
        }
    }

    /// Whether the subscription was cancelled.
    var isDiscarded: Bool {
        self.state.withLock { $0.isDiscarded }
    }

    /// Returns once everything taken in so far has been handled, or the queue has ended.
    func waitUntilIdle() async {
        await withCheckedContinuation { continuation in
            let isIdle = self.state.withLock { state in
                if state.isIdle { return true }
                state.waitingForIdle.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    private func wakeWaiters() {
        let woken = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            if state.waitingForRoom.isEmpty && state.waitingForIdle.isEmpty { return [] }
            var woken = state.waitingForRoom
            state.waitingForRoom = []
            if state.isIdle {
                woken += state.waitingForIdle
                state.waitingForIdle = []
            }
            return woken
        }
        for continuation in woken { continuation.resume() }
    }

    /// Events that wait, events given up, and how long events waited.
    var counters: (pending: Int, dropped: UInt64, latency: LatencyHistogram) {
        self.state.withLock { ($0.buffer.count, $0.buffer.dropped, $0.latency) }
    }
}
