import Testing
import TidingsTestSupport

@testable import Tidings

/// Subscriptions that outlive the process; a crash is a second bus on the log of a first that nobody stopped.
@Suite(.timeLimit(.minutes(1))) struct DurableSubscriptionTests {
    struct Failure: Error {}

    private let options = SubscriptionOptions(name: "worker", deadline: nil)

    /// Waits until the cursor of the subscription says so.
    private func cursor(_ log: MemoryEventLog, _ isSo: (DurableCursor) -> Bool) async throws {
        while true {
            if let cursor = try await log.cursors.cursor(of: "worker"), isSo(cursor) { return }
            await Task.yield()
        }
    }

    @Test func `it hands out what is in the log already, and then what comes, in the order of the offsets`()
        async throws
    {
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        try await bus.publish(EventBatch((0..<50).map { .sample($0, type: .trade) }))
        let seen = Collector<Int>()
        try bus.addDurableHandler(to: .type(.trade), options: self.options, from: .start) { seen.add($0.number) }
        for number in 50..<100 { try await bus.publish(.sample(number, type: .trade)) }
        #expect(await seen.wait(for: 100) == Array(0..<100))
        await bus.stop()
        #expect(try await log.cursors.cursor(of: "worker") == DurableCursor(lowWater: 100))
    }

    @Test func `an event whose letter cannot be kept is not done with`() async throws {
        let log = FlakyLog(deadLetters: FullDeadLetterStore())
        let bus = MemoryEventBus(log: log)
        let subscription = try bus.addDurableHandler(to: .type(.trade), options: self.options) { _ in throw Failure() }
        try await bus.publish(.sample(1, type: .trade))
        await bus.stop()
        #expect(subscription.statistics.dead == 1)
        // Handed out again after the next start.
        let seen = Collector<Int>()
        let next = MemoryEventBus(log: log)
        try next.addDurableHandler(to: .type(.trade), options: self.options) { seen.add($0.number) }
        #expect(await seen.wait(for: 1) == [1])
        await next.stop()
    }

    @Test func `a start while the bus is stopping does nothing`() async throws {
        let cursors = HesitantCursorStore()
        let bus = MemoryEventBus(log: FlakyLog(cursors: cursors))
        let handled = Gate()
        try bus.addDurableHandler(to: .type(.trade), options: self.options) { _ in handled.open() }
        try await bus.publish(.sample(1, type: .trade))
        await handled.wait()
        // The cursor is saved with the bus halfway through its stop, or just before.
        async let stopped: Void = bus.stop()
        await cursors.isSaving.wait()
        while (try? bus.addTap(to: .all) { _ in }.cancel()) != nil { await Task.yield() }
        bus.start()
        cursors.mayGoOn.open()
        await stopped
        #expect(throws: EventBusError.self) { try bus.tryPublish(.sample(2, type: .trade)) }
        bus.start()
        #expect(try await bus.publish(.sample(3, type: .trade)) == .accepted(offset: 2))
        await bus.stop()
    }

    @Test func `from now on means from now on`() async throws {
        let bus = MemoryEventBus(log: MemoryEventLog())
        try await bus.publish(EventBatch((0..<50).map { .sample($0) }))
        let seen = Collector<Int>()
        try bus.addDurableHandler(to: .all, options: self.options) { seen.add($0.number) }
        try await self.cursor(try #require(bus.log as? MemoryEventLog)) { $0.lowWater == 50 }
        for number in 50..<60 { try await bus.publish(.sample(number)) }
        #expect(await seen.wait(for: 10) == Array(50..<60))
        await bus.stop()
    }

    @Test func `what was not acknowledged before a crash is handed out again, what was is not`() async throws {
        let log = MemoryEventLog()
        let crashed = MemoryEventBus(log: log)
        let (reached, gate) = (Gate(), Gate())
        try crashed.addDurableHandler(to: .all, options: self.options, from: .start) { event in
            if event.number == 5 {
                reached.open()
                await gate.wait()
            }
        }
        for number in 0..<5 { try await crashed.publish(.sample(number)) }
        try await self.cursor(log) { $0.lowWater == 5 }
        for number in 5..<10 { try await crashed.publish(.sample(number)) }
        await reached.wait()
        // Here the process dies; what it was doing is lost.
        let second = MemoryEventBus(log: log)
        let seen = Collector<Int>()
        try second.addDurableHandler(to: .all, options: self.options, from: .start) { seen.add($0.number) }
        #expect(await seen.wait(for: 5) == Array(5..<10))
        await second.stop()
        gate.open()
        await crashed.stop()
    }

    @Test func `a clean stop hands nothing out twice`() async throws {
        let log = MemoryEventLog()
        var all: [Int] = []
        for round in 0..<5 {
            let bus = MemoryEventBus(log: log)
            let seen = Collector<Int>()
            try bus.addDurableHandler(to: .all, options: self.options, from: .start) { seen.add($0.number) }
            for number in round * 20..<round * 20 + 20 { try await bus.publish(.sample(number)) }
            await bus.stop()
            all += seen.values
        }
        let bus = MemoryEventBus(log: log)
        let rest = Collector<Int>()
        try bus.addDurableHandler(to: .all, options: self.options, from: .start) { rest.add($0.number) }
        try await bus.publish(.sample(100))
        _ = await rest.wait(for: 101 - all.count)
        await bus.stop()
        #expect(all + rest.values == Array(0...100))
    }

    @Test func `a bus that stops and starts goes on where it was`() async throws {
        let bus = MemoryEventBus(log: MemoryEventLog())
        let seen = Collector<Int>()
        try bus.addDurableHandler(to: .all, options: self.options, from: .start) { seen.add($0.number) }
        for round in 0..<3 {
            for number in round * 10..<round * 10 + 10 { try await bus.publish(.sample(number)) }
            await bus.stop()
            bus.start()
        }
        #expect(await seen.wait(for: 30) == Array(0..<30))
        await bus.stop()
    }

    @Test func `an event that its handler gives up is in the dead letters and done`() async throws {
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        try bus.addDurableHandler(to: .type(.trade), options: self.options, from: .start) { event in
            if event.number == 1 { throw Failure() }
        }
        for number in 0..<3 { try await bus.publish(.sample(number, type: .trade)) }
        // The fourth event of the log is the error event that tells of it.
        try await self.cursor(log) { $0.lowWater >= 3 }
        await bus.stop()
        let letters = try await log.deadLetters.letters(after: nil, limit: 10)
        #expect(letters.map(\.event.number) == [1])
        #expect(letters.map(\.offset) == [2])
    }

    @Test func `an event that waits for its next attempt when the bus stops is handed out again`() async throws {
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        var options = self.options
        options.retry = RetryPolicy(attempts: 9, firstDelay: .seconds(3600), maximumDelay: .seconds(3600))
        let failed = Gate()
        try bus.addDurableHandler(to: .all, options: options, from: .start) { _ in
            failed.open()
            throw Failure()
        }
        try await bus.publish(.sample(7))
        await failed.wait()
        await bus.stop()
        #expect(try await log.deadLetters.count() == 0)
        let second = MemoryEventBus(log: log)
        let seen = Collector<Int>()
        try second.addDurableHandler(to: .all, options: options, from: .start) { seen.add($0.number) }
        #expect(await seen.wait(for: 1) == [7])
        await second.stop()
    }

    @Test func `what waits behind a stuck call when the bus stops is handed out again, and is no dead letter`()
        async throws
    {
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        var options = self.options
        (options.deadline, options.grace) = (.milliseconds(20), .milliseconds(20))
        let (errors, gate) = (Collector<StandardEvent>(), Gate())
        try bus.subscribe(to: .error) { errors.add($0) }
        let subscription = try bus.addDurableHandler(to: .type(.trade), options: options, from: .start) { _ in
            await gate.wait()
        }
        try await bus.publish(EventBatch((0..<3).map { .sample($0, type: .trade) }))
        _ = await errors.wait(for: 1)
        #expect(subscription.statistics.stuck == 1)
        await bus.stop()
        #expect(try await log.deadLetters.letters(after: nil, limit: 9).map(\.event.number) == [0])
        let second = MemoryEventBus(log: log)
        let seen = Collector<Int>()
        try second.addDurableHandler(to: .type(.trade), options: self.options, from: .start) { seen.add($0.number) }
        #expect(await seen.wait(for: 2) == [1, 2])
        await second.stop()
        gate.open()
    }

    @Test func `handlers that run at once acknowledge out of order, and only the unfinished comes again`() async throws
    {
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        var options = self.options
        options.concurrency = .parallel(4)
        let (held, gate, done) = (Gate(), Gate(), Collector<Int>())
        try bus.addDurableHandler(to: .all, options: options, from: .start) { event in
            if event.number == 3 {
                held.open()
                await gate.wait()
            }
            done.add(event.number)
        }
        for number in 0..<300 { try await bus.publish(.sample(number)) }
        await held.wait()
        // Saved while one is outstanding: after 256 others at the latest.
        try await self.cursor(log) { $0.lowWater == 3 && $0.acknowledged.count >= 200 }
        let acknowledged = try #require(try await log.cursors.cursor(of: "worker")).acknowledged
        let second = MemoryEventBus(log: log)
        let again = Collector<Int>()
        try second.addDurableHandler(to: .all, options: options, from: .start) { again.add($0.number) }
        let wanted = Set(1...300).subtracting(acknowledged.map(Int.init)).subtracting(1...3).map { $0 - 1 }
        #expect(Set(await again.wait(for: wanted.count)) == Set(wanted))
        await second.stop()
        gate.open()
        await bus.stop()
    }

    @Test func `a subscription that is cancelled and made again goes on where it was`() async throws {
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        let first = Collector<Int>()
        let subscription = try bus.addDurableHandler(to: .all, options: self.options, from: .start) {
            first.add($0.number)
        }
        for number in 0..<10 { try await bus.publish(.sample(number)) }
        _ = await first.wait(for: 10)
        try await self.cursor(log) { $0.lowWater == 10 }
        subscription.cancel()
        for number in 10..<20 { try await bus.publish(.sample(number)) }
        let second = Collector<Int>()
        try bus.addDurableHandler(to: .all, options: self.options, from: .start) { second.add($0.number) }
        #expect(await second.wait(for: 10) == Array(10..<20))
        await bus.stop()
    }

    @Test func `a second one of the same name, and one without a log, are refused`() async throws {
        let bus = MemoryEventBus(log: MemoryEventLog())
        try bus.addDurableHandler(to: .all, options: self.options) { _ in }
        let second = #expect(throws: EventBusError.self) {
            try bus.addDurableHandler(to: .all, options: self.options) { _ in }
        }
        #expect(second?.code == .refused)
        await bus.stop()
        let forgetful = MemoryEventBus()
        let store = #expect(throws: EventBusError.self) {
            try forgetful.addDurableHandler(to: .all, options: self.options) { _ in }
        }
        #expect(store?.code == .store)
        await forgetful.stop()
    }

    @Test func `a durable handler with little room gets everything`() async throws {
        let bus = MemoryEventBus(log: MemoryEventLog())
        var options = self.options
        (options.capacity, options.overflow) = (2, .dropNewest)
        let seen = Collector<Int>()
        try bus.addDurableHandler(to: .all, options: options, from: .start) { event in
            await Task.yield()
            seen.add(event.number)
        }
        for start in stride(from: 0, to: 1000, by: 50) {
            try await bus.publish(EventBatch((start..<start + 50).map { .sample($0) }))
        }
        #expect(await seen.wait(for: 1000) == Array(0..<1000))
        await bus.stop()
    }
}
