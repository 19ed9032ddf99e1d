import Tidings

/// How many requests have no answer yet, so that whoever stops can wait for them. Streams are not among them: they have no
/// end. Safe from any thread.
final class RequestsInProgress: Sendable {
    private struct State: ~Copyable {
        var count = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextID = 0
    }

    private let state = Locked(State())

    var count: Int { self.state.withLock { $0.count } }

    func begin() { self.state.withLock { $0.count += 1 } }

    func end() {
        let waiting = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.count -= 1
            guard state.count == 0 else { return [] }
            let waiting = Array(state.waiting.values)
            state.waiting = [:]
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns once there are none, or the task is cancelled.
    func waitUntilNone() async {
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = self.state.withLock { state in
                    guard state.count > 0, !Task.isCancelled else { return false }
                    state.waiting[id] = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            self.state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
        }
    }
}
