import Tidings

/// Runs one piece of asynchronous work after the other, in the order they were asked for.
///
/// Waiting for one's turn does not end early when the task is cancelled: whoever is before has to end first.
final class SerialTurns: Sendable {
    private struct State: ~Copyable {
        var isBusy = false
        /// As many as there are callers.
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    func run<Result>(_ work: () async throws -> Result) async rethrows -> Result {
        await self.begin()
        defer { self.end() }
        return try await work()
    }

    private func begin() async {
        await withCheckedContinuation { continuation in
            let isFree = self.state.withLock { state -> Bool in
                if state.isBusy {
                    state.waiting.append(continuation)
                    return false
                }
                state.isBusy = true
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    private func end() {
        let next = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.isBusy = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
