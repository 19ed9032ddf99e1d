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

/// Work that ends by itself when what it depends on has stopped.
struct Work: Service {
    private let work: @Sendable () async -> Void

    init(_ work: @escaping @Sendable () async -> Void) {
        self.work = work
    }

    func run() async {
        await self.work()
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
