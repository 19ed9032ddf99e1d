import Tidings

/// Collects values from any thread and lets a test wait for them.
final class Collector<Value: Sendable>: Sendable {
    private struct State {
        var values: [Value] = []
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Locked(State())

    func add(_ value: Value) {
        let woken = self.state.withLock { state in
            state.values.append(value)
            let woken = state.waiting.filter { $0.count <= state.values.count }
            state.waiting.removeAll { $0.count <= state.values.count }
            return woken
        }
        for waiter in woken { waiter.continuation.resume() }
    }

    var values: [Value] { self.state.withLock { $0.values } }

    /// Returns the values once there are at least `count`; the test's time limit ends a wait in vain.
    func wait(for count: Int) async -> [Value] {
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
final class Gate: Sendable {
    private let collector = Collector<Bool>()

    func open() { self.collector.add(true) }
    func wait() async { _ = await self.collector.wait(for: 1) }
}

extension StandardEvent {
    static func sample(
        _ number: Int = 0, type: EventType = .custom, priority: EventPriority = .normal, source: Name = "test"
    ) -> StandardEvent {
        StandardEvent(
            eventType: type, source: source, payload: ["n": .number(ExactDecimal(number))], priority: priority)
    }

    var number: Int { self.payload["n"]?.int ?? -1 }
}
