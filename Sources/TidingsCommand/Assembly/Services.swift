import ServiceLifecycle
import Tidings

/// Runs a bus until the program stops; then everything it has accepted is handled and stored.
struct BusService: Service {
    let bus: MemoryEventBus

    func run() async throws {
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled: what is there is still to be stored.
        }
        await self.bus.stop()
    }
}

/// Work that ends by itself when what it depends on has stopped, and then waits for its turn: a service group takes one
/// that ends before it was asked to for a failure.
struct Work: Service {
    private let work: @Sendable () async -> Void

    init(_ work: @escaping @Sendable () async -> Void) {
        self.work = work
    }

    func run() async {
        await self.work()
        try? await gracefulShutdown()
    }
}

/// Work that ends when it is cancelled.
struct CancelledWork: Service {
    private let work: @Sendable () async -> Void

    init(_ work: @escaping @Sendable () async -> Void) {
        self.work = work
    }

    func run() async {
        await cancelWhenGracefulShutdown { await self.work() }
    }
}
