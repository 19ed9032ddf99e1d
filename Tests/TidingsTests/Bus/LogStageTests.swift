import Testing

@testable import Tidings

@Suite(.timeLimit(.minutes(1))) struct LogStageTests {
    @Test func `publish returns the offsets that the log gave`() async throws {
        let bus = MemoryEventBus(log: MemoryEventLog())
        let first = StandardEvent.sample(1)
        #expect(
            try await bus.publish(EventBatch([first, .sample(2)])).results == [
                .accepted(offset: 1), .accepted(offset: 2),
            ])
        #expect(try await bus.publish(.sample(3)) == .accepted(offset: 3))
        #expect(try await bus.publish(first) == .duplicate(offset: nil))
        await bus.stop()
    }

    @Test func `an event that only the log knows is a duplicate with its offset`() async throws {
        let log = MemoryEventLog()
        let event = StandardEvent.sample(1)
        let before = MemoryEventBus(log: log)
        try await before.publish(event)
        await before.stop()
        let after = MemoryEventBus(log: log)
        #expect(try await after.publish(event) == .duplicate(offset: 1))
        await after.stop()
    }

    @Test func `what taps and handlers publish stands behind its cause in the log`() async throws {
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        try bus.addTap(to: .type(.trade)) { try bus.tryPublish(.sample($0.number, type: "tapped")) }
        try bus.subscribe(to: .trade) { event in
            try bus.tryPublish(.sample(event.number, type: "derived"))
            try await bus.publish(.sample(event.number, type: "waited"))
        }
        for number in 0..<200 {
            if number % 3 == 0 { try await bus.publish(.sample(number, type: .trade)) }
            if number % 3 == 1 { try await bus.publish(EventBatch([.sample(number, type: .trade)])) }
            if number % 3 == 2 { try bus.tryPublish(.sample(number, type: .trade)) }
        }
        await bus.stop()
        var known: Set<Int> = []
        for entry in try await log.read(LogQuery(limit: 2000)) {
            let event = try entry.event()
            if event.eventType == .trade {
                known.insert(event.number)
            } else {
                #expect(known.contains(event.number), "\(event.eventType) \(event.number)")
            }
        }
        #expect(known.count == 200)
        #expect(log.bounds.head == 800)
    }

    @Test func `stopping commits everything that tryPublish accepted`() async throws {
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        for number in 0..<1000 { try bus.tryPublish(.sample(number)) }
        await bus.stop()
        let logged = try await log.read(LogQuery(limit: 2000))
        #expect(try logged.map { try $0.event().number } == Array(0..<1000))
        #expect(logged.map(\.offset) == Array(1...1000))
    }

    @Test func `a log that fails refuses those who wait, and takes the rest when it works again`() async throws {
        let log = FlakyLog()
        let bus = MemoryEventBus(log: log)
        log.setFailing(true)
        let refused = StandardEvent.sample(1)
        guard case .refused(let error) = try await bus.publish(refused) else {
            Issue.record("a failed append must not be acknowledged")
            return
        }
        #expect(error.code == .store)
        #expect(error.message.contains("no room"))
        try bus.tryPublish(.sample(2))
        #expect(bus.logError?.code == .diskFull)
        log.setFailing(false)
        // The refused event is unknown again, so that its publisher may try once more.
        guard case .accepted = try await bus.publish(refused) else {
            Issue.record("a refused event must be publishable again")
            return
        }
        await bus.stop()
        let numbers = try await log.inner.read(LogQuery()).map { try $0.event().number }
        #expect(numbers.sorted() == [1, 2])
        #expect(bus.logError == nil)
    }
}
