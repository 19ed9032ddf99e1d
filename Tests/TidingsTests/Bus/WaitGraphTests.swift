import Testing
import TidingsTestSupport

@testable import Tidings

/// Handlers that wait for one another.
@Suite(.timeLimit(.minutes(1))) struct WaitGraphTests {
    @Test func `waiting for somebody who does not wait is no problem`() {
        var graph = WaitGraph()
        #expect(graph.begin(1, calls: 1, for: [2, 3]) != nil)
        #expect(graph.begin(2, calls: 1, for: [3]) != nil)
    }

    @Test func `whoever would close a circle of waiting is refused, and nothing is noted of it`() {
        var graph = WaitGraph()
        let first = graph.begin(1, calls: 1, for: [2])
        #expect(graph.begin(2, calls: 1, for: [3]) != nil)
        #expect(graph.begin(3, calls: 1, for: [1]) == nil)
        #expect(graph.begin(3, calls: 1, for: [4]) != nil)
        if let first { graph.end(1, first) }
        #expect(graph.begin(3, calls: 1, for: [1]) != nil)
    }

    @Test func `a handler with another call to spare can go on`() {
        var graph = WaitGraph()
        #expect(graph.begin(1, calls: 2, for: [2]) != nil)
        #expect(graph.begin(2, calls: 1, for: [1]) != nil)
        // The last call that could.
        #expect(graph.begin(1, calls: 2, for: [2]) == nil)
    }

    @Test func `waiting for oneself is for ever`() {
        var graph = WaitGraph()
        #expect(graph.begin(1, calls: 1, for: [1]) == nil)
    }

    @Test func `two handlers that fill one another's queues are told, and go on`() async throws {
        let bus = MemoryEventBus()
        let (inA, inB, outcomes) = (Gate(), Gate(), Collector<EventBusError.Code?>())
        @Sendable func flood(_ type: EventType) async {
            for number in 1..<4 {
                do throws(EventBusError) {
                    try await bus.publish(.sample(number, type: type))
                } catch {
                    return outcomes.add(error.code)
                }
            }
            outcomes.add(nil)
        }
        for (own, other, mine, theirs) in [("a", "b", inA, inB), ("b", "a", inB, inA)] {
            let options = SubscriptionOptions(name: own, capacity: 1, deadline: nil)
            try bus.subscribe(to: EventType(rawValue: own), options: options) { event in
                guard event.number == 0 else { return }
                mine.open()
                await theirs.wait()
                await flood(EventType(rawValue: other))
            }
        }
        try await bus.publish(.sample(0, type: "a"))
        try await bus.publish(.sample(0, type: "b"))
        let codes = await outcomes.wait(for: 2)
        #expect(codes.contains(.wouldDeadlock))
        await bus.stop()
    }

    @Test func `a handler of one bus waits for room on another`() async throws {
        let (first, second) = (MemoryEventBus(), MemoryEventBus())
        let seen = Collector<Int>()
        try first.subscribe(to: .trade) { event in
            for number in 0..<50 { try await second.publish(.sample(number)) }
        }
        try second.subscribe(to: .custom, options: SubscriptionOptions(name: "tight", capacity: 1)) { event in
            await Task.yield()
            seen.add(event.number)
        }
        try await first.publish(.sample(0, type: .trade))
        #expect(await seen.wait(for: 50) == Array(0..<50))
        await first.stop()
        await second.stop()
    }
}
