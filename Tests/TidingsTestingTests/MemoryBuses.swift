import Tidings
import TidingsTesting

/// Memory buses for the conformance suite.
struct MemoryBuses: EventBusFactory, CustomStringConvertible {
    var hasLog = false
    var ingress: @Sendable () -> IngressChain = { IngressChain() }

    var description: String { self.hasLog ? "with a log" : "without a log" }

    var declaration: BusDeclaration {
        BusDeclaration(givesOffsets: self.hasLog, patience: .seconds(20))
    }

    func withBus<Result>(_ body: (MemoryEventBus) async throws -> Result) async throws -> Result {
        let log = self.hasLog ? MemoryEventLog() : nil
        let bus = MemoryEventBus(log: log, duplicateWindow: 4096, ingress: self.ingress())
        do {
            let result = try await body(bus)
            await bus.stop()
            await log?.close()
            return result
        } catch {
            await bus.stop()
            await log?.close()
            throw error
        }
    }

    func restart(_ bus: MemoryEventBus) { bus.start() }
}
