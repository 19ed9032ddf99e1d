import Testing
import Tidings
import TidingsTesting

@Suite(.timeLimit(.minutes(2))) struct MemoryBusConformanceTests {
    @Test(arguments: EventBusConformance.checks)
    func `the memory bus keeps its guarantees`(_ check: EventBusConformance.Check) async throws {
        try await check.run(on: MemoryBuses())
    }

    @Test(arguments: EventBusConformance.checks)
    func `the memory bus keeps its guarantees with a log`(_ check: EventBusConformance.Check) async throws {
        try await check.run(on: MemoryBuses(hasLog: true))
    }

    @Test(arguments: EventBusConformance.checks)
    func `a bus that records keeps the guarantees of the one behind it`(
        _ check: EventBusConformance.Check
    ) async throws {
        try await check.run(on: RecordingBuses())
    }

    @Test func `every guarantee has a check and every check a name of its own`() {
        let checks = EventBusConformance.checks
        #expect(Set(checks.map(\.guarantee)) == Set(1...10))
        #expect(Set(checks.map(\.name)).count == checks.count)
    }

    @Test func `without a test framework the whole suite answers with what failed`() async {
        let failures = await EventBusConformance.failures(of: MemoryBuses())
        #expect(failures.isEmpty, "\(failures)")
    }
}

/// Recording buses in front of memory buses.
struct RecordingBuses: EventBusFactory {
    var declaration: BusDeclaration { BusDeclaration(restarts: false, patience: .seconds(20)) }

    func withBus<Result>(_ body: (RecordingBus) async throws -> Result) async throws -> Result {
        try await MemoryBuses().withBus { try await body(RecordingBus(forwardingTo: $0)) }
    }
}
