public import Tidings

/// Makes buses for the conformance suite.
///
/// ```swift
/// struct MemoryBuses: EventBusFactory {
///     let declaration = BusDeclaration()
///
///     func withBus<Result>(_ body: (MemoryEventBus) async throws -> Result) async throws -> Result {
///         let bus = MemoryEventBus()
///         do {
///             let result = try await body(bus)
///             await bus.stop()
///             return result
///         } catch {
///             await bus.stop()
///             throw error
///         }
///     }
///
///     func restart(_ bus: MemoryEventBus) { bus.start() }
/// }
/// ```
public protocol EventBusFactory: Sendable {
    associatedtype Bus: EventBus

    var declaration: BusDeclaration { get }

    /// Calls `body` with a running bus that nobody else publishes on, and stops it afterwards, whatever happened.
    /// `body` may have stopped it already.
    func withBus<Result>(_ body: (Bus) async throws -> Result) async throws -> Result

    /// Makes a stopped bus work again; called only where the declaration says that it can.
    func restart(_ bus: Bus) async throws
}

extension EventBusFactory {
    public func restart(_ bus: Bus) async throws {
        throw ConformanceFailure("the factory declares that its buses restart and has no restart(_:)")
    }
}
