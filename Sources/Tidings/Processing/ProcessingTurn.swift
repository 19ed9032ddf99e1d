import DequeModule

/// Lets one task at a time through, in the order of asking, and lets it await inside.
final class ProcessingTurn: Sendable {
    private struct State: ~Copyable {
        var isTaken = false
        /// Those who wait: no more than a subscription runs calls at a time, and its timer.
        var waiting: Deque<CheckedContinuation<Void, Never>> = []
    }

    private let state = Locked(State())

    func withTurn<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        await self.take()
        defer { self.pass() }
        return try await body()
    }

    private func take() async {
        let isOurs = self.state.withLock { state in
            if state.isTaken { return false }
            state.isTaken = true
            return true
        }
        if isOurs { return }
        await withCheckedContinuation { continuation in
            let isOurs = self.state.withLock { state in
                if state.isTaken {
                    state.waiting.append(continuation)
                    return false
                }
                state.isTaken = true
                return true
            }
            if isOurs { continuation.resume() }
        }
    }

    private func pass() {
        let next = self.state.withLock { state in
            let next = state.waiting.popFirst()
            if next == nil { state.isTaken = false }
            return next
        }
        next?.resume()
    }
}
