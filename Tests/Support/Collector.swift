import Tidings

/// Collects values from any thread and lets a test wait for them.
package final class Collector<Value: Sendable>: Sendable {
    private struct State {
        var values: [Value] = []
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Locked(State())

    package init() {}

    package func add(_ value: Value) {
        let woken = self.state.withLock { state in
            state.values.append(value)
            let woken = state.waiting.filter { $0.count <= state.values.count }
            state.waiting.removeAll { $0.count <= state.values.count }
            return woken
        }
        for waiter in woken { waiter.continuation.resume() }
    }

    package var values: [Value] { self.state.withLock { $0.values } }

    /// Returns the values once there are at least `count`; the test's time limit ends a wait in vain.
    package func wait(for count: Int) async -> [Value] {
        await withCheckedContinuation { continuation in
            let isThere = self.state.withLock { state in
                if state.values.count >= count { return true }
                state.waiting.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
        return self.values
    }
}

/// Holds tasks back until it is opened.
package final class Gate: Sendable {
    private let collector = Collector<Bool>()

    package init() {}

    package func open() { self.collector.add(true) }
    package func wait() async { _ = await self.collector.wait(for: 1) }
}
