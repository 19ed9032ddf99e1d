import Testing
import TidingsTestSupport

@testable import Tidings

/// Emits a running sum for each event, and its total as time passes.
private struct Sums: Deriver {
    var name: String { "sums" }
    var sum = 0
    var last: EventCause?

    mutating func process(_ event: StandardEvent, output: inout DerivedEvents) throws {
        self.sum += event.number
        self.last = EventCause(event)
        let first = StandardEvent(eventType: "sum", source: "sums", payload: ["n": .number(ExactDecimal(self.sum))])
        output.emit(first)
        output.emit(
            StandardEvent(eventType: "sum.child", source: "sums", payload: .empty, parentEventID: first.eventID))
    }

    mutating func advance(to now: Timestamp, output: inout DerivedEvents) throws {
        guard let last = self.last else { return }
        output.emit(
            StandardEvent(eventType: "total", source: "sums", payload: ["n": .number(ExactDecimal(self.sum))]),
            because: last)
    }
}

@Suite(.timeLimit(.minutes(1))) struct DeriverTests {
    private static let moment = Timestamp(nanoseconds: 1_705_314_600_123_000_000, precision: .milliseconds)

    private static let inputs = (1...3).map { number in
        StandardEvent(
            eventType: .custom, source: "test", payload: ["n": .number(ExactDecimal(number))],
            timestamp: Self.moment.advanced(by: .seconds(number)))
    }

    private func run() async throws -> [StandardEvent] {
        let bus = MemoryEventBus()
        let seen = Collector<StandardEvent>()
        try bus.addTap(to: EventFilter(types: ["sum", "sum.*", "total"]), name: "seen") { seen.add($0) }
        let service = ProcessorService(Sums(), bus: bus, filter: .type(.custom))
        try await service.start()
        for event in Self.inputs { try await bus.publish(event) }
        _ = await seen.wait(for: 6)
        await service.advance(to: .now())
        await service.advance(to: .now())
        await service.stop()
        await bus.stop()
        return seen.values
    }

    @Test func `several events come of one, in order, each with its cause`() async throws {
        let events = try await self.run()
        #expect(
            events.map(\.eventType.rawValue) == ["sum", "sum.child", "sum", "sum.child", "sum", "sum.child", "total"])
        for (index, input) in Self.inputs.enumerated() {
            let (sum, child) = (events[index * 2], events[index * 2 + 1])
            #expect(sum.parentEventID == input.eventID && sum.correlationID == input.correlationID)
            #expect(child.parentEventID == sum.eventID && child.correlationID == input.correlationID)
            #expect(sum.processingTimeMs != nil && sum.timestamp == input.timestamp)
        }
        // The timer's: because of the last contributing event, and the same total only once.
        #expect(events[6].parentEventID == Self.inputs[2].eventID && events[6].number == 6)
    }

    @Test func `processing the same again gives the same events`() async throws {
        let (first, second) = (try await self.run(), try await self.run())
        #expect(first.map(\.eventID) == second.map(\.eventID) && Set(first.map(\.eventID)).count == first.count)
        #expect(first.map(\.timestamp) == second.map(\.timestamp) && first.map(\.payload) == second.map(\.payload))
    }

    @Test func `its timer lets time pass by itself`() async throws {
        struct Ticking: Deriver {
            var interval: Duration? { .milliseconds(5) }
            mutating func process(_ event: StandardEvent, output: inout DerivedEvents) throws {}
            mutating func advance(to now: Timestamp, output: inout DerivedEvents) throws {
                output.emit(StandardEvent(eventType: "tick", source: "t", payload: .empty))
            }
        }
        let bus = MemoryEventBus()
        let seen = Collector<StandardEvent>()
        try bus.addTap(to: .type("tick"), name: "seen") { seen.add($0) }
        let service = ProcessorService(Ticking(), bus: bus)
        try await service.start()
        let ticks = await seen.wait(for: 3)
        #expect(ticks.allSatisfy { $0.parentEventID == nil && $0.correlationID == $0.eventID })
        await service.stop()
        let count = seen.values.count
        await bus.stop()
        #expect(seen.values.count == count)
    }

    @Test func `what the bus has no room for waits, and time stands still meanwhile`() async throws {
        struct Counting: Deriver {
            var calls = 0
            mutating func process(_ event: StandardEvent, output: inout DerivedEvents) throws {}
            mutating func advance(to now: Timestamp, output: inout DerivedEvents) throws {
                self.calls += 1
                for _ in 0..<2 {
                    output.emit(
                        StandardEvent(eventType: "tick", source: "t", payload: ["n": .number(ExactDecimal(self.calls))])
                    )
                }
            }
        }
        let bus = MemoryEventBus()
        let gate = Gate()
        let seen = Collector<Int>()
        try bus.addHandler(to: .type("tick"), options: SubscriptionOptions(name: "slow", capacity: 2)) { event in
            await gate.wait()
            seen.add(event.number)
        }
        let service = ProcessorService(Counting(), bus: bus, filter: .type(.custom))
        try await service.start()
        for _ in 0..<10 { await service.advance(to: .now()) }
        gate.open()
        while seen.values.count < 4 {
            await service.advance(to: .now())
            await Task.yield()
        }
        await service.stop()
        await bus.stop()
        // None lost, none twice: they come in pairs, without a gap.
        let pairs = seen.values
        #expect(pairs.enumerated().allSatisfy { $0.element == $0.offset / 2 + 1 })
    }

    @Test func `turns are taken one at a time, in order`() async throws {
        let turn = ProcessingTurn()
        let (order, gate, inside) = (Collector<Int>(), Gate(), Collector<Int>())
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await turn.withTurn {
                    inside.add(0)
                    await gate.wait()
                    order.add(0)
                }
            }
            _ = await inside.wait(for: 1)
            for number in 1...20 {
                group.addTask {
                    await turn.withTurn {
                        let before = inside.values.count
                        inside.add(number)
                        await Task.yield()
                        #expect(inside.values.count == before + 1)
                        order.add(number)
                    }
                }
            }
            gate.open()
        }
        #expect(order.values == inside.values && order.values.count == 21)
    }
}
