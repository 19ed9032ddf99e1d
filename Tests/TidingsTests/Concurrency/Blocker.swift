import Dispatch
import Tidings
import TidingsTestSupport

/// Blocks the threads that come, until it is opened: what a handler does that calls a slow library.
final class Blocker: Sendable {
    private let door = DispatchSemaphore(value: 0)
    private let arrived = Collector<Void>()

    func block() {
        self.arrived.add(())
        self.door.wait()
        self.door.signal()
    }

    /// Returns once so many threads are held.
    func wait(for count: Int) async {
        _ = await self.arrived.wait(for: count)
    }

    var held: Int { self.arrived.values.count }

    func open() {
        self.door.signal()
    }
}

/// Looks until it is so; the test's time limit ends a wait in vain.
func until(_ condition: @Sendable () -> Bool) async throws {
    while !condition() { try await Task.sleep(for: .milliseconds(2)) }
}

extension HandlerExecutor {
    static func make(_ change: (inout Configuration) -> Void = { _ in }) -> HandlerExecutor {
        var configuration = Configuration()
        configuration.minimum = 2
        change(&configuration)
        return HandlerExecutor(configuration)
    }
}
