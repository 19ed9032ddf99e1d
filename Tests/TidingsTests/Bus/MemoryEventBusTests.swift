import Testing
import TidingsTestSupport

@testable import Tidings

@Suite(.timeLimit(.minutes(1))) struct MemoryEventBusTests {
    struct Failure: Error {}

    @Test func `events of one publisher reach a handler in order`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<Int>()
        try bus.subscribe(to: "*") { event in seen.add(event.number) }
        for start in stride(from: 0, to: 1000, by: 50) {
            try await bus.publish(EventBatch((start..<start + 50).map { .sample($0) }))
        }
        #expect(await seen.wait(for: 1000) == Array(0..<1000))
        await bus.stop()
    }

    @Test func `an event is delivered once to a subscription however many of its patterns match`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<Int>()
        try bus.addHandler(to: EventFilter(types: ["login.*", "*", "login.success"])) { seen.add($0.number) }
        try await bus.publish(EventBatch([.sample(1, type: .loginSuccess), .sample(2, type: .trade)]))
        await bus.stop()
        #expect(seen.values == [1, 2])
    }

    @Test func `an event reaches exactly the subscribers whose filter matches`() async throws {
        let bus = MemoryEventBus()
        let (all, logins, bySource) = (Collector<Int>(), Collector<Int>(), Collector<Int>())
        try bus.subscribe(to: "*") { all.add($0.number) }
        try bus.subscribe(to: "login.*") { logins.add($0.number) }
        try bus.addHandler(to: EventFilter(sources: ["b"])) { bySource.add($0.number) }
        try await bus.publish(
            EventBatch([
                .sample(1, type: .loginStart, source: "a"), .sample(2, type: .trade, source: "b"),
                .sample(3, type: .loginFailed, source: "b"),
            ]))
        await bus.stop()
        #expect(all.values == [1, 2, 3])
        #expect(logins.values == [1, 3])
        #expect(bySource.values == [2, 3])
    }

    @Test func `a waiting urgent event is next after the handler call in progress`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<Int>()
        let (started, gate) = (Gate(), Gate())
        try bus.subscribe(to: "*") { event in
            if event.number == 0 {
                started.open()
                await gate.wait()
            }
            seen.add(event.number)
        }
        try bus.tryPublish(EventBatch((0..<64).map { .sample($0) }))
        await started.wait()
        try bus.tryPublish(.sample(100, priority: .critical))
        gate.open()
        let order = await seen.wait(for: 65)
        #expect(order.prefix(2) == [0, 100])
        #expect(order.dropFirst(2) == ArraySlice(1..<64))
        await bus.stop()
    }

    @Test func `a tap is called before publish returns and its errors stop nobody`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<Int>()
        let failing = try bus.addTap(to: .type(.trade)) { _ in throw Failure() }
        try bus.addTap(to: .type(.trade)) { seen.add($0.number) }
        try bus.tryPublish(.sample(7, type: .trade))
        #expect(seen.values == [7])
        #expect(failing.statistics.failed == 1)
        await bus.stop()
    }

    @Test func `a handler that throws is counted, reported as an error event and called again`() async throws {
        let bus = MemoryEventBus()
        let (seen, errors) = (Collector<Int>(), Collector<StandardEvent>())
        let options = SubscriptionOptions(name: "fragile")
        let subscription = try bus.subscribe(to: .trade, options: options) { event in
            seen.add(event.number)
            if event.number == 1 { throw Failure() }
        }
        try bus.subscribe(to: .error) { errors.add($0) }
        let bad = StandardEvent.sample(1, type: .trade)
        try await bus.publish(bad)
        try await bus.publish(.sample(2, type: .trade))
        #expect(await seen.wait(for: 2) == [1, 2])
        let error = try #require(await errors.wait(for: 1).first)
        #expect(error.payload["error_code"] == "HANDLER")
        #expect(error.payload["details"]?.object?["subscriber"] == "fragile")
        #expect(error.parentEventID == bad.eventID)
        #expect(error.correlationID == bad.correlationID)
        #expect(error.priority == .critical)
        await bus.stop()
        #expect(subscription.statistics.failed == 1)
        #expect(bus.statistics.failed == 1)
    }

    @Test func `a handler of errors that fails does not feed itself`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<Int>()
        try bus.subscribe(to: .error) { event in
            seen.add(1)
            throw Failure()
        }
        try await bus.publish(.error(code: "X", message: "m", source: "test"))
        await bus.stop()
        #expect(seen.values.count == 1)
    }

    @Test func `publishing the same event twice says duplicate and delivers it once`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<Int>()
        try bus.subscribe(to: "*") { seen.add($0.number) }
        let event = StandardEvent.sample(1)
        #expect(try await bus.publish(event) == .accepted(offset: nil))
        #expect(try await bus.publish(event) == .duplicate(offset: nil))
        let report = try await bus.publish(EventBatch([event, .sample(2)]))
        #expect(report.results == [.duplicate(offset: nil), .accepted(offset: nil)])
        await bus.stop()
        #expect(seen.values == [1, 2])
        #expect(bus.statistics.duplicates == 2)
    }

    @Test func `tryPublish delivers to all subscribers or to none`() async throws {
        let bus = MemoryEventBus()
        let (gate, started) = (Gate(), Gate())
        let (roomy, tight) = (Collector<Int>(), Collector<Int>())
        try bus.subscribe(to: "*") { roomy.add($0.number) }
        try bus.subscribe(to: "*", options: SubscriptionOptions(name: "tight", capacity: 2)) { event in
            started.open()
            await gate.wait()
            tight.add(event.number)
        }
        try bus.tryPublish(.sample(0))
        await started.wait()
        try bus.tryPublish(EventBatch([.sample(1), .sample(2)]))
        let refused = StandardEvent.sample(3)
        let error = #expect(throws: EventBusError.self) { try bus.tryPublish(refused) }
        #expect(error?.code == .full)
        #expect(error?.message.contains("tight") == true)
        gate.open()
        _ = await tight.wait(for: 3)
        // A refused event is not known: the same one can be published later.
        #expect(try await bus.publish(refused) == .accepted(offset: nil))
        await bus.stop()
        #expect(roomy.values == [0, 1, 2, 3])
        #expect(tight.values == [0, 1, 2, 3])
        #expect(bus.statistics.refused == 1)
    }

    @Test func `publish waits for room and loses nothing`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<Int>()
        try bus.subscribe(to: "*", options: SubscriptionOptions(capacity: 3)) { event in
            await Task.yield()
            seen.add(event.number)
        }
        for number in 0..<500 { try await bus.publish(.sample(number)) }
        await bus.stop()
        #expect(seen.values == Array(0..<500))
    }

    @Test func `a stuck subscriber that drops delays nobody and is told of the gap`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<Int>()
        let stuck = try bus.batches(
            matching: .all, options: SubscriptionOptions(name: "stuck", capacity: 10, overflow: .dropOldest))
        try bus.subscribe(to: "*") { seen.add($0.number) }
        for number in 0..<100 { try await bus.publish(.sample(number)) }
        _ = await seen.wait(for: 100)
        #expect(stuck.subscription.statistics.dropped == 90)
        var iterator = stuck.makeAsyncIterator()
        let first = await iterator.next()
        #expect(first?.dropped == 90)
        #expect(first?.events.map(\.number) == [90])
        await bus.stop()
    }

    @Test func `what a handler publishes knows its cause`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<StandardEvent>()
        try bus.subscribe(to: .trade) { _ in try await bus.publish(.sample(1, type: .priceAlert)) }
        try bus.subscribe(to: .priceAlert) { event in
            seen.add(event)
            try await bus.publish(.sample(2, type: .custom))
        }
        try bus.subscribe(to: .custom) { seen.add($0) }
        let root = StandardEvent.sample(0, type: .trade)
        try await bus.publish(root)
        let events = await seen.wait(for: 2)
        #expect(root.correlationID == root.eventID)
        #expect(events.map(\.correlationID) == [root.eventID, root.eventID])
        #expect(events[0].parentEventID == root.eventID)
        #expect(events[1].parentEventID == events[0].eventID)
        await bus.stop()
    }

    @Test func `a handler that would wait for room in its own subscription is refused`() async throws {
        let bus = MemoryEventBus()
        let outcome = Collector<EventBusError.Code?>()
        try bus.subscribe(to: "*", options: SubscriptionOptions(name: "self", capacity: 1)) { event in
            guard event.number == 0 else { return }
            do throws(EventBusError) {
                try await bus.publish(.sample(1))
                try await bus.publish(.sample(2))
                outcome.add(nil)
            } catch {
                outcome.add(error.code)
            }
        }
        try await bus.publish(.sample(0))
        #expect(await outcome.wait(for: 1) == [.wouldDeadlock])
        await bus.stop()
    }

    @Test func `stopping handles everything that was accepted, and what handling it publishes`() async throws {
        let bus = MemoryEventBus()
        let derived = Collector<Int>()
        try bus.subscribe(to: .trade) { event in
            await Task.yield()
            try await bus.publish(.sample(event.number, type: .custom))
        }
        try bus.subscribe(to: .custom) { derived.add($0.number) }
        for number in 0..<200 { try bus.tryPublish(.sample(number, type: .trade)) }
        await bus.stop()
        #expect(derived.values == Array(0..<200))
    }

    @Test func `publishing after stop is an error and starting again works`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<Int>()
        try bus.subscribe(to: "*") { seen.add($0.number) }
        await bus.stop()
        let error = await #expect(throws: EventBusError.self) { try await bus.publish(.sample(1)) }
        #expect(error?.code == .stopped)
        #expect(throws: EventBusError.self) { try bus.tryPublish(.sample(2)) }
        bus.start()
        try await bus.publish(.sample(3))
        #expect(await seen.wait(for: 1) == [3])
        await bus.stop()
    }

    @Test func `a handler may subscribe, unsubscribe and stop from inside`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<String>()
        let own = Locked<Subscription?>(nil)
        let hasReturned = Gate()
        let subscription = try bus.subscribe(to: .trade) { _ in
            seen.add("first")
            own.withLock { $0 }?.cancel()
            try bus.subscribe(to: .trade) { _ in seen.add("second") }
            hasReturned.open()
        }
        own.withLock { $0 = subscription }
        try await bus.publish(.sample(1, type: .trade))
        await hasReturned.wait()
        try await bus.publish(.sample(2, type: .trade))
        await bus.stop()
        #expect(seen.values == ["first", "second"])
    }

    @Test func `ten publishers at once lose and repeat nothing`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<Int>()
        try bus.subscribe(to: "*", options: SubscriptionOptions(capacity: 100)) { seen.add($0.number) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for publisher in 0..<10 {
                group.addTask {
                    for number in 0..<200 { try await bus.publish(.sample(publisher * 1000 + number)) }
                }
            }
            try await group.waitForAll()
        }
        await bus.stop()
        #expect(seen.values.count == 2000)
        for publisher in 0..<10 {
            let own = seen.values.filter { $0 / 1000 == publisher }
            #expect(own == (0..<200).map { publisher * 1000 + $0 })
        }
    }

    @Test func `drawn batches end when the subscription is cancelled`() async throws {
        let bus = MemoryEventBus()
        let batches = try bus.batches(matching: .all)
        try await bus.publish(EventBatch([.sample(1), .sample(2)]))
        var numbers: [Int] = []
        for await element in batches {
            numbers += element.events.map(\.number)
            batches.subscription.cancel()
        }
        #expect(numbers == [1, 2])
        await bus.stop()
    }

    @Test func `counters tell what happened by type`() async throws {
        let bus = MemoryEventBus()
        try bus.subscribe(to: .trade) { _ in }
        try await bus.publish(
            EventBatch([.sample(1, type: .trade), .sample(2, type: .ticker), .sample(3, type: .trade)]))
        await bus.stop()
        let statistics = bus.statistics
        #expect(statistics.published == 3)
        #expect(statistics.delivered == 2)
        #expect(statistics.byType == ["trade": 2, "ticker": 1])
    }
}
