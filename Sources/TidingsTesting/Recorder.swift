import Tidings

/// Collects values from any thread and lets a check wait for them, but not for ever.
final class Recorder<Value: Sendable>: Sendable {
    private struct Waiter {
        let count: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var values: [Value] = []
        var waiters: [UInt64: Waiter] = [:]
        var nextID: UInt64 = 0
        var cancelled: Set<UInt64> = []
    }

    private let state = Locked(State())

    var values: [Value] { self.state.withLock { $0.values } }

    func add(_ value: Value) {
        let woken = self.state.withLock { state -> [Waiter] in
            state.values.append(value)
            let count = state.values.count
            let woken = state.waiters.filter { $0.value.count <= count }
            for id in woken.keys { state.waiters[id] = nil }
            return Array(woken.values)
        }
        for waiter in woken { waiter.continuation.resume(returning: true) }
    }

    /// The values once there are at least `count`.
    @discardableResult
    func wait(for count: Int, within patience: Duration, _ what: @autoclosure () -> String) async throws -> [Value] {
        let isThere = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.reach(count) }
            group.addTask {
                // The bound of the wait, not the wait: nothing else ends it when a bus has lost an event.
                try? await Task.sleep(for: patience)
                return false
            }
            let isThere = await group.next() ?? false
            group.cancelAll()
            return isThere
        }
        let values = self.values
        guard isThere || values.count >= count else {
            throw ConformanceFailure("\(what()): \(values.count) of \(count) came within \(patience)")
        }
        return values
    }

    /// Returns true once there are `count`, false when the task is cancelled first.
    private func reach(_ count: Int) async -> Bool {
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = self.state.withLock { state -> Bool? in
                    if state.values.count >= count { return true }
                    if state.cancelled.remove(id) != nil { return false }
                    state.waiters[id] = Waiter(count: count, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let waiter = self.state.withLock { state -> Waiter? in
                if let waiter = state.waiters.removeValue(forKey: id) { return waiter }
                state.cancelled.insert(id)
                return nil
            }
            waiter?.continuation.resume(returning: false)
        }
    }
}

/// Holds handlers back until it is opened.
final class Latch: Sendable {
    private let opened = Recorder<Void>()

    func open() { self.opened.add(()) }

    /// Returns once it is open; throws when the task is cancelled first.
    func pass() async throws {
        try await self.opened.wait(for: 1, within: .seconds(3600), "a latch that was to be opened")
    }
}
