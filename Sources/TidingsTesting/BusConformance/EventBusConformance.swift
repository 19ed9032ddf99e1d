import Tidings

/// The ten guarantees of an event bus, as checks that anyone who writes a bus can run against it.
///
/// With Swift Testing:
/// ```swift
/// @Test(arguments: EventBusConformance.checks)
/// func `the bus keeps its guarantees`(_ check: EventBusConformance.Check) async throws {
///     try await check.run(on: MyBuses())
/// }
/// ```
/// Each check makes a bus of its own, uses nothing but ``EventBus``, waits for things and not for time, and gives up after
/// the declaration's patience.
public enum EventBusConformance {
    /// One thing that every bus has to do, named by a sentence.
    public struct Check: Sendable, Identifiable, CustomStringConvertible {
        /// Which of the ten guarantees it belongs to.
        public let guarantee: Int
        public let name: String
        let isApplicable: @Sendable (BusDeclaration) -> Bool
        let body: @Sendable (ConformanceRun) async throws -> Void

        init(
            _ guarantee: Int, _ name: String,
            where isApplicable: @escaping @Sendable (BusDeclaration) -> Bool = { _ in true },
            _ body: @escaping @Sendable (ConformanceRun) async throws -> Void
        ) {
            self.guarantee = guarantee
            self.name = name
            self.isApplicable = isApplicable
            self.body = body
        }

        public var id: String { self.name }
        public var description: String { "\(self.guarantee). \(self.name)" }

        /// Runs the check; throws a ``ConformanceFailure`` that says what the bus did. A check of something that the bus
        /// does not declare passes.
        public func run(on factory: some EventBusFactory) async throws {
            let declaration = factory.declaration
            guard self.isApplicable(declaration) else { return }
            let ended = Recorder<Result<Void, any Error>>()
            // Unstructured, because a bus that hangs would never let a task group end. Where it hangs the task is left
            // behind, cancelled.
            let task = Task {
                do {
                    try await factory.withBus { bus in
                        let run = ConformanceRun(bus: bus, declaration: declaration) { try await factory.restart(bus) }
                        try await self.body(run)
                    }
                    ended.add(.success(()))
                } catch {
                    ended.add(.failure(error))
                }
            }
            let end: Result<Void, any Error>?
            do {
                end = try await ended.wait(for: 1, within: declaration.patience * 4, "the check's end").first
            } catch {
                task.cancel()
                throw ConformanceFailure("did not end; the bus hangs", check: self.name)
            }
            do {
                try end?.get()
            } catch let failure as ConformanceFailure {
                throw ConformanceFailure(failure.message, check: self.name)
            } catch {
                throw ConformanceFailure("threw \(error)", check: self.name)
            }
        }
    }

    /// Every check, in the order of the guarantees.
    public static let checks: [Check] =
        Self.order + Self.delivery + Self.bounds + Self.subscribers + Self.causality + Self.circles + Self.secrets
        + Self.emitting + Self.lifecycle + Self.reentrancy + Self.reports

    /// Runs every check, one after the other, and returns what failed; for those without a test framework.
    public static func failures(of factory: some EventBusFactory) async -> [ConformanceFailure] {
        var failures: [ConformanceFailure] = []
        for check in Self.checks {
            do {
                try await check.run(on: factory)
            } catch {
                failures.append(error as? ConformanceFailure ?? ConformanceFailure("\(error)", check: check.name))
            }
        }
        return failures
    }
}
