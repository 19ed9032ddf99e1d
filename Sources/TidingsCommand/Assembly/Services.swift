import ServiceLifecycle
import Tidings

/// Runs a bus until the program stops; then everything it has accepted is handled and stored.
struct BusService: Service {
    private let bus: MemoryEventBus
    private let hurry: @Sendable () async -> Void

    /// How long handlers have for what they were given; the program is to end within ten seconds.
    private static let patience = Duration.seconds(4)

    /// - Parameter hurry: ends what handlers wait for others with, such as a receiver that does not answer.
    init(bus: MemoryEventBus, hurry: @escaping @Sendable () async -> Void) {
        self.bus = bus
        self.hurry = hurry
    }

    func run() async throws {
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled: what is there is still to be stored.
        }
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await self.bus.stop()
                return true
            }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return false
            }
            if await group.next() == false { await self.hurry() }
            group.cancelAll()
        }
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
