import DequeModule
import Tidings

/// Where work that an event loop starts finds its task: children of ``run()``, which ends when they have.
///
/// Each client has at most two pieces of work at a time, so the queue is bounded by the number of clients.
final class WorkScope: Sendable {
    typealias Work = @Sendable () async -> Void

    private struct State: ~Copyable {
        var waiting = Deque<Work>()
        var runner: CheckedContinuation<Void, Never>?
        var isFinished = false
    }

    private let state = Locked(State())

    /// Starts work; false once the scope is finished.
    func submit(_ work: @escaping Work) -> Bool {
        let (isTaken, runner) = self.state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard !state.isFinished else { return (false, nil) }
            state.waiting.append(work)
            let runner = state.runner
            state.runner = nil
            return (true, runner)
        }
        runner?.resume()
        return isTaken
    }

    /// Takes no more work; what runs is cancelled.
    func finish() {
        let runner = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isFinished = true
            let runner = state.runner
            state.runner = nil
            return runner
        }
        runner?.resume()
    }

    /// Runs what is submitted until ``finish()``. Called once.
    func run() async {
        await withDiscardingTaskGroup { group in
            while let work = await self.next() {
                group.addTask { await work() }
            }
            group.cancelAll()
        }
    }

    private func next() async -> Work? {
        while true {
            let (work, isFinished) = self.state.withLock { ($0.waiting.popFirst(), $0.isFinished) }
            if let work { return work }
            if isFinished { return nil }
            await withCheckedContinuation { continuation in
                let mustWait = self.state.withLock { state in
                    guard state.waiting.isEmpty && !state.isFinished else { return false }
                    state.runner = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        }
    }
}
