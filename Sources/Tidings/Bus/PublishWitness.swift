/// Waits until every handler that takes an event of a batch has handled it or given it up.
final class PublishWitness: EventWitness {
    private struct State {
        var outstanding = 0
        var waiter: CheckedContinuation<Void, Never>?
        /// What the bus has noted down of the wait, where a handler waits.
        var wait: MemoryEventBus.HandlerWait?
    }

    let letter: DeadLetter? = nil
    let isDurable = false
    let isAwaited = true
    private let state = Locked(State())

    func expect(_ count: Int) {
        self.state.withLock { $0.outstanding += count }
    }

    /// Keeps another note, and returns the one it had.
    func exchangeWait(_ wait: MemoryEventBus.HandlerWait?) -> MemoryEventBus.HandlerWait? {
        self.state.withLock { state in
            defer { state.wait = wait }
            return state.wait
        }
    }

    func settled(_ event: borrowing StandardEvent, _ outcome: HandlingOutcome) {
        self.countDown()
    }

    func countDown() {
        let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.outstanding -= 1
            guard state.outstanding == 0 else { return nil }
            let waiter = state.waiter
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns once nothing is outstanding any more.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isDone = self.state.withLock { state in
                if state.outstanding == 0 { return true }
                state.waiter = continuation
                return false
            }
            if isDone { continuation.resume() }
        }
    }
}

/// The retry of a dead letter: handled, it is discarded; failed again, the failure is added to it.
final class RetryWitness: EventWitness {
    let letter: DeadLetter?
    let isDurable = false
    let isAwaited = false

    init(_ letter: DeadLetter) {
        self.letter = letter
    }

    func expect(_ count: Int) {}
    func settled(_ event: borrowing StandardEvent, _ outcome: HandlingOutcome) {}
}
