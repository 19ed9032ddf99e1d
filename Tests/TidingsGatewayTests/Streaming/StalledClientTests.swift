import NIOCore
import Testing
import Tidings

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(5)), .serialized)
struct StalledClientTests {
    private static let filler = String(repeating: "x", count: 1000)

    private static func publish(_ count: Int, _ gateway: GatewayHarness) async throws {
        let events = (0..<count).map { _ in
            StandardEvent(eventType: .custom, source: "test", payload: ["symbol": "S", "x": .string(Self.filler)])
        }
        _ = try await gateway.bus.publish(EventBatch(events))
    }

    /// How long each of some turns takes until everybody has got it.
    private static func turns(_ swarm: Swarm, _ gateway: GatewayHarness) async throws -> [Duration] {
        var times: [Duration] = []
        for _ in 0..<25 {
            let wanted = swarm.least + 4
            let start = ContinuousClock.now
            try await Self.publish(4, gateway)
            try await eventually("everybody has got a turn") { swarm.least >= wanted }
            times.append(ContinuousClock.now - start)
        }
        return times.sorted()
    }

    @Test func `one client that stalls costs 999 others nothing`() async throws {
        try await GatewayHarness.run {
            $0.limits.clientBufferBytes = 128 << 10
            $0.slowClientGrace = .seconds(120)
        } _: { gateway in
            let subscription = #"{"action":"subscribe","symbols":["*"]}"#
            let healthy = try await Swarm.connect(999, port: gateway.port, subscription)
            _ = try await Self.turns(healthy, gateway)
            let before = try await Self.turns(healthy, gateway)
            let stalled = try await Swarm.connect(1, port: gateway.port, subscription)
            try await stalled.stall()
            while gateway.gateway.streamStatistics.dropped == 0 {
                let wanted = healthy.least + 64
                try await Self.publish(64, gateway)
                try await eventually("everybody has got a turn") { healthy.least >= wanted }
            }
            let total = healthy.total
            let after = try await Self.turns(healthy, gateway)
            #expect(healthy.total == total + 25 * 4 * 999)
            let (was, now) = (before[before.count / 2], after[after.count / 2])
            print("a turn of 4 events to 999 clients: \(was) alone, \(now) beside one that stalls")
            #expect(now < was * 2 + .milliseconds(10))
            // It alone lost anything, and holds no more than its buffer and what the kernel took.
            #expect(gateway.gateway.streamStatistics.closedAsSlow == 0)
            await healthy.close()
            await stalled.close()
            try await eventually("nobody is left") { gateway.gateway.streamStatistics.clients == 0 }
            #expect(try await gateway.gateway.streamCensus() == StreamCensus())
        }
    }
}
