import Testing
import TidingsTestSupport

@testable import Tidings

/// Publishing and waiting until it is handled.
@Suite(.timeLimit(.minutes(1))) struct PublishAndWaitTests {
    struct Failure: Error {}

    @Test func `it returns when every handler has handled every event`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<Int>()
        for name in ["one", "two", "three"] {
            try bus.subscribe(to: "*", options: SubscriptionOptions(name: name)) { event in
                for _ in 0..<10 { await Task.yield() }
                seen.add(event.number)
            }
        }
        try await bus.publishAndWait(EventBatch((0..<20).map { .sample($0) }))
        #expect(seen.values.count == 60)
        await bus.stop()
    }

    @Test func `it returns when handlers have given up, too`() async throws {
        let bus = MemoryEventBus()
        try bus.subscribe(
            to: "*", options: SubscriptionOptions(name: "x", retry: RetryPolicy(attempts: 3, firstDelay: .zero))
        ) { event in if event.eventType != .error { throw Failure() } }
        try await bus.publishAndWait(.sample(1))
        #expect(try await bus.deadLetters.count() == 1)
        await bus.stop()
    }

    @Test func `it returns at once with nobody listening`() async throws {
        let bus = MemoryEventBus()
        #expect(try await bus.publishAndWait(.sample(1)) == .accepted(offset: nil))
        await bus.stop()
    }

    @Test(arguments: [SubscriptionOptions.Overflow.dropOldest, .dropNewest])
    func `it does not wait for what a full subscription gives up`(_ overflow: SubscriptionOptions.Overflow) async throws
    {
        let bus = MemoryEventBus()
        let (started, gate) = (Gate(), Gate())
        try bus.subscribe(
            to: "*", options: SubscriptionOptions(name: "x", capacity: 2, overflow: overflow, deadline: nil)
        ) { event in
            started.open()
            if event.number == 0 { await gate.wait() }
        }
        try await bus.publish(.sample(0))
        await started.wait()
        async let waiting = bus.publishAndWait(EventBatch((1..<10).map { .sample($0) }))
        while bus.statistics.dropped < 7 { await Task.yield() }
        gate.open()
        #expect(try await waiting.acceptedCount == 9)
        await bus.stop()
    }

    @Test func `it does not wait for what later events push out of a full subscription`() async throws {
        let bus = MemoryEventBus()
        let (started, gate) = (Gate(), Gate())
        let subscription = try bus.subscribe(
            to: "*", options: SubscriptionOptions(name: "x", capacity: 2, overflow: .dropOldest, deadline: nil)
        ) { event in
            started.open()
            if event.number == 0 { await gate.wait() }
        }
        try await bus.publish(.sample(0))
        await started.wait()
        async let waiting = bus.publishAndWait(EventBatch((1..<3).map { .sample($0) }))
        while subscription.statistics.pending < 2 { await Task.yield() }
        for number in 3..<5 { try await bus.publish(.sample(number)) }
        #expect(try await waiting.acceptedCount == 2)
        gate.open()
        await bus.stop()
    }

    @Test func `it does not wait for a subscription that ends`() async throws {
        let bus = MemoryEventBus()
        let (started, gate) = (Gate(), Gate())
        let subscription = try bus.subscribe(to: "*", options: SubscriptionOptions(name: "x", deadline: nil)) { event in
            started.open()
            await gate.wait()
        }
        try await bus.publish(.sample(0))
        await started.wait()
        async let waiting = bus.publishAndWait(EventBatch((1..<10).map { .sample($0) }))
        while subscription.statistics.pending < 9 { await Task.yield() }
        subscription.cancel()
        #expect(try await waiting.acceptedCount == 9)
        gate.open()
        await bus.stop()
    }

    @Test func `it does not wait for ever for a handler that is stuck`() async throws {
        let bus = MemoryEventBus()
        let gate = Gate()
        let options = SubscriptionOptions(name: "x", deadline: .milliseconds(20), grace: .milliseconds(20))
        try bus.subscribe(to: .trade, options: options) { _ in await gate.wait() }
        #expect(try await bus.publishAndWait(.sample(1, type: .trade)) == .accepted(offset: nil))
        gate.open()
        await bus.stop()
    }

    @Test func `inside a handler it waits for the others, and a handler of its own chain is refused`() async throws {
        let bus = MemoryEventBus()
        let outcomes = Collector<EventBusError.Code?>()
        let order = Collector<String>()
        try bus.subscribe(to: .trade, options: SubscriptionOptions(name: "outer")) { event in
            guard event.number == 0 else { return }
            try await bus.publishAndWait(.sample(1, type: .custom))
            order.add("outer")
            do throws(EventBusError) {
                try await bus.publishAndWait(.sample(2, type: .trade))
                outcomes.add(nil)
            } catch {
                outcomes.add(error.code)
            }
        }
        try bus.subscribe(to: .custom, options: SubscriptionOptions(name: "inner")) { _ in order.add("inner") }
        try await bus.publish(.sample(0, type: .trade))
        #expect(await outcomes.wait(for: 1) == [.wouldDeadlock])
        #expect(order.values == ["inner", "outer"])
        await bus.stop()
    }

    @Test func `with a log it says where the events stand`() async throws {
        let bus = MemoryEventBus(log: MemoryEventLog())
        let seen = Collector<Int>()
        try bus.subscribe(to: "*") { seen.add($0.number) }
        #expect(try await bus.publishAndWait(.sample(5)) == .accepted(offset: 1))
        #expect(seen.values == [5])
        await bus.stop()
    }

    @Test func `two handlers that wait for one another's events are told, and do not wait for ever`() async throws {
        let bus = MemoryEventBus()
        let (inA, inB, outcomes) = (Gate(), Gate(), Collector<EventBusError.Code?>())
        @Sendable func wait(for event: StandardEvent) async {
            do throws(EventBusError) {
                try await bus.publishAndWait(event)
                outcomes.add(nil)
            } catch {
                outcomes.add(error.code)
            }
        }
        try bus.subscribe(to: "a", options: SubscriptionOptions(name: "a")) { event in
            guard event.number == 0 else { return }
            inA.open()
            await inB.wait()
            await wait(for: .sample(1, type: "b"))
        }
        try bus.subscribe(to: "b", options: SubscriptionOptions(name: "b")) { event in
            guard event.number == 0 else { return }
            inB.open()
            await inA.wait()
            await wait(for: .sample(1, type: "a"))
        }
        try await bus.publish(.sample(0, type: "a"))
        try await bus.publish(.sample(0, type: "b"))
        let codes = await outcomes.wait(for: 2)
        #expect(codes.contains(.wouldDeadlock))
        await bus.stop()
    }
}
