import Testing
import TidingsTestSupport

@testable import Tidings

/// The processor of the user's document.
private struct MyProcessor: Processor {
    func process(_ event: StandardEvent) async throws -> StandardEvent? {
        if event.eventType == .trade {
            // Process trade event
            return event
        }
        return nil  // Filter out other types
    }
}

/// Makes an alert of every trade.
private struct Alerts: Processor {
    var type: EventType = .priceAlert

    func process(_ event: StandardEvent) async throws -> StandardEvent? {
        guard event.eventType == .trade else { return event }
        return StandardEvent(eventType: self.type, source: "alerts", payload: ["of": .string("\(event.eventID)")])
    }
}

@Suite(.timeLimit(.minutes(1))) struct ProcessorServiceTests {
    private static func trade(at moment: Timestamp = .now()) -> StandardEvent {
        StandardEvent(
            eventType: .trade, source: "test", payload: .trade(Trade(symbol: "BTC-USD", price: 1, volume: 1)),
            timestamp: moment)
    }

    @Test func `the document's processor passes trades on and publishes nothing`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<StandardEvent>()
        try bus.addTap(to: .all, name: "seen") { seen.add($0) }
        let processor = ProcessorService(MyProcessor(), bus: bus)
        try await processor.start()
        let events = [Self.trade(), StandardEvent.sample()]
        for event in events { try await bus.publish(event) }
        await bus.stop()
        #expect(processor.statistics?.delivered == 2 && processor.statistics?.failed == 0)
        await processor.stop()
        #expect(seen.values == events && processor.name == "MyProcessor" && processor.statistics == nil)
    }

    @Test func `the document's processor works at ingress as well`() throws {
        let chain = IngressChain()
        chain.attach(MyProcessor())
        let verdict = try #require(chain.transform([Self.trade(), .sample()], fresh: 0b11))
        #expect(verdict.refused == 0b10 && verdict.replacements.isEmpty)
    }

    @Test func `a different event is published with the input as its parent, and says how long it took`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<StandardEvent>()
        try bus.addTap(to: .type(.priceAlert), name: "seen") { seen.add($0) }
        let service = ProcessorService(Alerts(), bus: bus, filter: .type(.trade))
        try await service.start()
        let trade = Self.trade()
        try await bus.publish(trade)
        let alert = try #require(await seen.wait(for: 1).first)
        #expect(alert.parentEventID == trade.eventID && alert.correlationID == trade.correlationID)
        #expect(alert.processedAt != nil && alert.processingTimeMs != nil)
        await service.stop()
        await bus.stop()
    }

    @Test func `the same input gives the same event in every process and replay`() async throws {
        let moment = Timestamp(nanoseconds: 1_705_314_600_123_000_000, precision: .milliseconds)
        let trade = Self.trade(at: moment)
        func derived(_ processor: Alerts) async throws -> StandardEvent {
            let bus = MemoryEventBus()
            let seen = Collector<StandardEvent>()
            try bus.addTap(to: .type(processor.type), name: "seen") { seen.add($0) }
            try await ProcessorService(processor, bus: bus, filter: .type(.trade)).start()
            try await bus.publish(trade)
            await bus.stop()
            return try #require(seen.values.first)
        }
        let first = try await derived(Alerts())
        let second = try await derived(Alerts())
        #expect(first.eventID == second.eventID && first.timestamp == second.timestamp && first.timestamp == moment)
        #expect(first.payload == second.payload && first.eventID != trade.eventID)
    }

    @Test func `what a processor chose itself stays`() async throws {
        struct Chosen: Processor {
            func process(_ event: StandardEvent) async throws -> StandardEvent? {
                guard event.eventType == .trade else { return nil }
                return StandardEvent(
                    eventType: .priceAlert, source: "a", payload: .empty, timestamp: Timestamp(seconds: 5),
                    eventID: EventID("mine"), correlationID: EventID("together"), parentEventID: EventID("before"))
            }
        }
        let bus = MemoryEventBus()
        let seen = Collector<StandardEvent>()
        try bus.addTap(to: .type(.priceAlert), name: "seen") { seen.add($0) }
        try await ProcessorService(Chosen(), bus: bus).start()
        try await bus.publish(Self.trade())
        await bus.stop()
        let event = try #require(seen.values.first)
        #expect(event.eventID == EventID("mine") && event.correlationID == EventID("together"))
        #expect(event.parentEventID == EventID("before") && event.timestamp == Timestamp(seconds: 5))
    }

    @Test func `in a chain one's result goes to the next, and only the last is published`() async throws {
        struct Louder: Processor {
            func process(_ event: StandardEvent) async throws -> StandardEvent? {
                guard event.eventType == "step" else { return nil }
                return StandardEvent(
                    eventType: "loud", source: "l", payload: event.payload, parentEventID: event.eventID)
            }
        }
        let bus = MemoryEventBus()
        let seen = Collector<StandardEvent>()
        try bus.addTap(to: .all, name: "seen") { seen.add($0) }
        let chain = ProcessorChain(MyProcessor(), Alerts(type: "step"), Louder())
        #expect(chain.name == "MyProcessor>Alerts>Louder")
        try await ProcessorService(chain, bus: bus).start()
        let trade = Self.trade()
        try await bus.publish(trade)
        try await bus.publish(.sample())
        await bus.stop()
        #expect(seen.values.map(\.eventType.rawValue).sorted() == ["custom", "loud", "trade"])
        let loud = try #require(seen.values.first { $0.eventType == "loud" })
        #expect(loud.parentEventID == trade.eventID && loud.correlationID == trade.correlationID)
        #expect(loud.payload["of"]?.string == "\(trade.eventID)")
    }

    @Test func `a processor that throws has failed, and the next event is processed`() async throws {
        struct Failing: Processor {
            struct Failure: Error {}
            func process(_ event: StandardEvent) async throws -> StandardEvent? {
                if event.number == 0 { throw Failure() }
                return StandardEvent(eventType: "made", source: "f", payload: .empty)
            }
        }
        let bus = MemoryEventBus()
        let seen = Collector<StandardEvent>()
        try bus.addTap(to: .type("made"), name: "seen") { seen.add($0) }
        let service = ProcessorService(Failing(), bus: bus, filter: .type(.custom))
        try await service.start()
        for number in 0..<2 { try await bus.publish(.sample(number)) }
        await bus.stop()
        #expect(service.statistics?.failed == 1 && service.statistics?.delivered == 1 && seen.values.count == 1)
    }

    @Test func `stopping waits for the call in progress and takes no more, and it can start again`() async throws {
        struct Held: Processor {
            let entered: Collector<Int>
            let gate: Gate
            let left: Collector<Int>
            func process(_ event: StandardEvent) async throws -> StandardEvent? {
                self.entered.add(event.number)
                await self.gate.wait()
                self.left.add(event.number)
                return nil
            }
        }
        let bus = MemoryEventBus()
        let processor = Held(entered: Collector(), gate: Gate(), left: Collector())
        let service = ProcessorService(processor, bus: bus)
        try await service.start()
        try await service.start()
        try await bus.publish(.sample(1))
        _ = await processor.entered.wait(for: 1)
        async let stopped: Void = service.stop()
        while service.statistics != nil { await Task.yield() }
        try await bus.publish(.sample(2))
        processor.gate.open()
        await stopped
        #expect(processor.left.values == [1])
        try await service.start()
        try await bus.publish(.sample(3))
        #expect(await processor.left.wait(for: 2) == [1, 3])
        await service.stop()
        await bus.stop()
    }

    @Test func `it may be stopped from inside`() async throws {
        struct Stopping: Processor {
            let service: Locked<ProcessorService?>
            let done: Collector<Int>
            func process(_ event: StandardEvent) async throws -> StandardEvent? {
                await self.service.withLock { $0 }?.stop()
                self.done.add(event.number)
                return nil
            }
        }
        let bus = MemoryEventBus()
        let processor = Stopping(service: Locked(nil), done: Collector())
        let service = ProcessorService(processor, bus: bus)
        processor.service.withLock { $0 = service }
        try await service.start()
        try await bus.publish(.sample(1))
        #expect(await processor.done.wait(for: 1) == [1])
        await service.stop()
        processor.service.withLock { $0 = nil }
        await bus.stop()
    }

    @Test func `running ends when its task is cancelled or it is stopped`() async throws {
        let bus = MemoryEventBus()
        let service = ProcessorService(MyProcessor(), bus: bus)
        let running = Task { try await service.run() }
        while service.statistics == nil { await Task.yield() }
        running.cancel()
        try await running.value
        #expect(service.statistics == nil)
        let again = Task { try await service.run() }
        while service.statistics == nil { await Task.yield() }
        await service.stop()
        try await again.value
        await bus.stop()
        await #expect(throws: EventBusError.self) { try await service.run() }
    }

    @Test func `an identifier tells whether this process made it since a mark`() {
        let before = EventID()
        let mark = EventID.mark
        let made = (0..<1000).map { _ in EventID() }
        #expect(made.allSatisfy { $0.wasMade(since: mark) } && !before.wasMade(since: mark))
        let later = EventID.mark
        #expect(made.allSatisfy { !$0.wasMade(since: later) })
        var hash = StableHash()
        hash.combine(UInt64(7))
        #expect(!EventID(at: .now(), hash: hash).wasMade(since: 0))
        #expect(EventID("018d0d9a-6e2b-7000-8000-000000000001").map { !$0.wasMade(since: mark) } == true)
        #expect(EventID("text").map { !$0.wasMade(since: 0) } == true)
    }
}
