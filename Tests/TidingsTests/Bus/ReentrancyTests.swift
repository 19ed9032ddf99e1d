import Testing
import TidingsTestSupport

@testable import Tidings

/// Everything from inside handlers and taps, and from many tasks at once.
@Suite(.timeLimit(.minutes(2))) struct ReentrancyTests {
    @Test func `what a tap publishes reaches handlers after its cause`() async throws {
        let bus = MemoryEventBus()
        try bus.addTap(to: .type(.trade)) { event in try bus.tryPublish(.sample(event.number + 1, type: .custom)) }
        let seen = Collector<Int>()
        try bus.subscribe(to: "*") { seen.add($0.number) }
        for number in stride(from: 0, to: 20, by: 2) { try bus.tryPublish(.sample(number, type: .trade)) }
        await bus.stop()
        #expect(seen.values == Array(0..<20))
    }

    @Test func `a light event that a tap answers reaches handlers before the answer`() async throws {
        let bus = MemoryEventBus()
        try bus.addTap(to: .type(.trade)) { _ in try bus.tryPublish(.tradeSample(type: .custom)) }
        let seen = Collector<EventType>()
        try bus.subscribe(to: "*") { seen.add($0.eventType) }
        for _ in 0..<5 { try bus.tryPublish(.tradeSample()) }
        await bus.stop()
        #expect(seen.values == Array(repeating: [EventType.trade, .custom], count: 5).flatMap { $0 })
    }

    @Test(arguments: [false, true])
    func `ten tasks at once subscribe, unsubscribe, publish and stop`(_ hasLog: Bool) async throws {
        for _ in 0..<5 {
            let bus = MemoryEventBus(log: hasLog ? MemoryEventLog() : nil, duplicateWindow: 4096)
            let (accepted, handled) = (Collector<Int>(), Collector<Int>())
            try bus.subscribe(to: "*", options: SubscriptionOptions(name: "steady", capacity: 64)) { event in
                handled.add(event.number)
                if event.number % 50 == 0 {
                    try bus.subscribe(to: .trade, options: SubscriptionOptions(name: "inner")) { _ in }.cancel()
                }
            }
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<10 {
                    group.addTask {
                        for number in 0..<100 {
                            let number = task * 1000 + number
                            if number % 7 == task % 7 {
                                let subscription = try? bus.subscribe(
                                    to: "*", options: SubscriptionOptions(name: "passing", overflow: .dropOldest)
                                ) { _ in await Task.yield() }
                                subscription?.cancel()
                            }
                            if number % 11 == 0, let batches = try? bus.batches(matching: .all) {
                                batches.subscription.cancel()
                            }
                            let result =
                                number.isMultiple(of: 2)
                                ? try? await bus.publish(.sample(number)) : try? bus.tryPublish(.sample(number))
                            if case .accepted = result { accepted.add(number) }
                            if task == 9, number % 1000 == 60 { await bus.stop() }
                        }
                    }
                }
            }
            await bus.stop()
            #expect(handled.values.sorted() == accepted.values.sorted())
            #expect(bus.statistics.published == UInt64(accepted.values.count))
        }
    }

    @Test func `a bus is stopped and started while ten tasks publish, and what it accepted is handled`() async throws {
        let bus = MemoryEventBus(duplicateWindow: 4096)
        let (accepted, handled) = (Collector<Int>(), Collector<Int>())
        try bus.subscribe(to: "*", options: SubscriptionOptions(name: "steady", capacity: 16)) {
            handled.add($0.number)
        }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<10 {
                group.addTask {
                    for number in 0..<100 {
                        let event = StandardEvent.sample(task * 1000 + number)
                        if case .accepted = try? await bus.publish(event) { accepted.add(event.number) }
                        await Task.yield()
                    }
                }
            }
            group.addTask {
                for _ in 0..<10 {
                    await bus.stop()
                    bus.start()
                    for _ in 0..<20 { await Task.yield() }
                }
            }
        }
        await bus.stop()
        #expect(handled.values.sorted() == accepted.values.sorted())
    }

    @Test func `a handler that cancels itself in the middle of a batch is called no more`() async throws {
        let bus = MemoryEventBus()
        let (seen, own) = (Collector<Int>(), Locked<Subscription?>(nil))
        let subscription = try bus.subscribe(to: "*") { event in
            seen.add(event.number)
            if event.number == 3 { own.withLock { $0 }?.cancel() }
        }
        own.withLock { $0 = subscription }
        try await bus.publish(EventBatch((0..<64).map { .sample($0) }))
        await bus.stop()
        #expect(seen.values == [0, 1, 2, 3])
    }

    @Test func `a bus that nobody stops and nobody holds any more goes away with its tasks`() async throws {
        weak var gone: MemoryEventBus?
        let ended = Gate()
        do {
            let bus = MemoryEventBus(log: MemoryEventLog())
            gone = bus
            try bus.subscribe(to: "*") { _ in ended.open() }
            try await bus.publish(.sample(1))
            await ended.wait()
        }
        #expect(gone == nil)
    }
}
