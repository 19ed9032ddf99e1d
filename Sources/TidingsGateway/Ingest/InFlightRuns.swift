import Tidings

/// The events that clients' requests are publishing at this moment.
///
/// A bus knows an event from the moment it takes it, and forgets it again when the log does not. A second request with the
/// same event has to hear how the first one ends before it is told that the event is there.
final class InFlightRuns: Sendable {
    /// The events of one call.
    final class Run: Sendable {
        fileprivate let ids: [EventID]
        private let state = Locked(State())

        private struct State: ~Copyable {
            var isOver = false
            var waiting: [UnsafeContinuation<Void, Never>] = []
        }

        fileprivate init(_ ids: [EventID]) { self.ids = ids }

        /// Returns when the run is over, which takes no longer than publishing does.
        func wait() async {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let isOver = self.state.withLock { state in
                    if !state.isOver { state.waiting.append(continuation) }
                    return state.isOver
                }
                if isOver { continuation.resume() }
            }
        }

        fileprivate func end() {
            let woken = self.state.withLock { state in
                state.isOver = true
                let woken = state.waiting
                state.waiting = []
                return woken
            }
            for continuation in woken { continuation.resume() }
        }
    }

    private let runs = Locked<[ObjectIdentifier: Run]>([:])

    func begin(_ ids: [EventID]) -> Run {
        let run = Run(ids)
        self.runs.withLock { $0[ObjectIdentifier(run)] = run }
        return run
    }

    func end(_ run: Run) {
        self.runs.withLock { $0[ObjectIdentifier(run)] = nil }
        run.end()
    }

    /// The runs that have any of these events.
    func runs(with ids: Set<EventID>) -> [Run] {
        self.runs.withLock { Array($0.values) }.filter { run in run.ids.contains { ids.contains($0) } }
    }
}
