import Testing
import TidingsTestSupport

@testable import Tidings

/// Only the newest event of each key.
@Suite(.timeLimit(.minutes(1))) struct ConflationTests {
    private func ticker(_ number: Int, _ symbol: String, priority: EventPriority = .normal) -> StandardEvent {
        StandardEvent(
            eventType: .ticker, source: "test",
            payload: ["symbol": .string(symbol), "n": .number(ExactDecimal(number))], priority: priority)
    }

    private func offer(_ buffer: inout ConflationBuffer, _ event: StandardEvent, at now: Int64 = 0) {
        buffer.offer(event, key: EventKey.symbol.hash(event), at: now)
    }

    private func drain(_ buffer: inout ConflationBuffer, at now: Int64 = 0) -> [Int] {
        var numbers: [Int] = []
        while let delivery = buffer.take(at: now) { numbers += delivery.selection.map(\.number) }
        return numbers
    }

    @Test func `a newer event replaces the waiting one of its key and moves to the tail`() {
        var buffer = ConflationBuffer(capacity: 10)
        self.offer(&buffer, self.ticker(1, "BTC"))
        self.offer(&buffer, self.ticker(2, "ETH"))
        self.offer(&buffer, self.ticker(3, "BTC"))
        #expect(self.drain(&buffer) == [2, 3])
        let (conflated, dropped) = (buffer.conflated, buffer.dropped)
        #expect(conflated == 1 && dropped == 0)
    }

    @Test func `beyond the capacity the oldest key of the least urgent lane goes and is told`() {
        var buffer = ConflationBuffer(capacity: 2)
        self.offer(&buffer, self.ticker(1, "A", priority: .critical))
        self.offer(&buffer, self.ticker(2, "B"))
        self.offer(&buffer, self.ticker(3, "C"))
        let first = buffer.take(at: 0)
        #expect(first?.selection.map(\.number) == [1])
        #expect(first?.dropped == 1)
        #expect(self.drain(&buffer) == [3])
    }

    @Test func `what is put back gives way to a newer event of its key`() {
        var buffer = ConflationBuffer(capacity: 10)
        for (number, symbol) in [(1, "A"), (2, "B"), (3, "C")] { self.offer(&buffer, self.ticker(number, symbol)) }
        guard let taken = buffer.take(at: 0) else {
            Issue.record("something waits")
            return
        }
        self.offer(&buffer, self.ticker(4, "B"))
        buffer.putBack(taken.selection, key: EventKey.symbol.hash, offeredAt: 0)
        #expect(self.drain(&buffer) == [1, 3, 4])
    }

    @Test func `an event that waits for seconds is not starved by urgent keys`() {
        var buffer = ConflationBuffer(capacity: 10)
        self.offer(&buffer, self.ticker(1000, "SLOW", priority: .low))
        var order: [Int] = []
        for number in 0..<20 {
            let now = Int64(number) * 1_000_000_000
            self.offer(&buffer, self.ticker(number, "FAST", priority: .critical), at: now)
            order += buffer.take(at: now, limit: 1).map { $0.selection.map(\.number) } ?? []
        }
        #expect(order.contains(1000), "\(order)")
    }

    /// The buffer as anybody would write it who has time: a list in the order of handing out.
    private struct Model {
        var waiting: [(key: String, number: Int, lane: Int)] = []
        let capacity: Int
        var dropped = 0
        var conflated = 0

        mutating func offer(_ key: String, _ number: Int, _ lane: Int) {
            if let place = self.waiting.firstIndex(where: { $0.key == key }) {
                self.waiting.remove(at: place)
                self.conflated += 1
            }
            self.waiting.append((key, number, lane))
            while self.waiting.count > self.capacity {
                guard let lane = self.waiting.map(\.lane).max(),
                    let place = self.waiting.firstIndex(where: { $0.lane == lane })
                else { return }
                self.waiting.remove(at: place)
                self.dropped += 1
            }
        }

        mutating func take(_ limit: Int) -> [Int] {
            guard let lane = self.waiting.map(\.lane).min() else { return [] }
            let taken = self.waiting.filter { $0.lane == lane }.prefix(limit)
            for entry in taken { self.waiting.removeAll { $0.key == entry.key } }
            return taken.map(\.number)
        }

        mutating func putBack(_ numbers: [Int], _ known: [Int: (key: String, lane: Int)]) {
            for number in numbers.reversed() {
                guard let (key, lane) = known[number] else { continue }
                if self.waiting.contains(where: { $0.key == key }) {
                    self.conflated += 1
                    continue
                }
                let place = self.waiting.firstIndex { $0.lane == lane } ?? self.waiting.endIndex
                self.waiting.insert((key, number, lane), at: place)
            }
        }
    }

    @Test func `the buffer does what a plain list would do, whatever happens`() {
        for seed in 0..<300 {
            var random = SeededGenerator(seed: UInt64(seed))
            let capacity = random.below(12) + 3
            var buffer = ConflationBuffer(capacity: capacity)
            var model = Model(capacity: capacity)
            var known: [Int: (key: String, lane: Int)] = [:]
            for number in 0..<200 {
                switch random.below(5) {
                case 0, 1, 2:
                    let (key, lane) = ("K\(random.below(20))", random.below(4))
                    known[number] = (key, lane)
                    model.offer(key, number, lane)
                    self.offer(&buffer, self.ticker(number, key, priority: EventPriority(lane + 1) ?? .normal))
                case 3:
                    let limit = random.below(6) + 1
                    let taken = buffer.take(at: 0, limit: limit).map { $0.selection.map(\.number) } ?? []
                    #expect(taken == model.take(limit))
                default:
                    guard model.waiting.count + 1 < capacity, let taken = buffer.take(at: 0, limit: 2) else { break }
                    let numbers = taken.selection.map(\.number)
                    #expect(numbers == model.take(2))
                    let key = "K\(random.below(20))"
                    known[-number - 1] = (key, 1)
                    model.offer(key, -number - 1, 1)
                    self.offer(&buffer, self.ticker(-number - 1, key, priority: .high))
                    buffer.putBack(taken.selection, key: EventKey.symbol.hash, offeredAt: 0)
                    model.putBack(numbers, known)
                }
                let (count, isEmpty) = (buffer.count, buffer.isEmpty)
                #expect(count == model.waiting.count)
                #expect(isEmpty == model.waiting.isEmpty)
            }
            let (dropped, conflated) = (buffer.dropped, buffer.conflated)
            #expect(dropped == UInt64(model.dropped))
            #expect(conflated == UInt64(model.conflated))
            while let taken = buffer.take(at: 0, limit: 3) {
                #expect(taken.selection.map(\.number) == model.take(3))
            }
            #expect(model.waiting.isEmpty)
        }
    }

    @Test func `a handler that is behind gets the newest of each symbol, and publishers never wait for it`()
        async throws
    {
        let bus = MemoryEventBus()
        let (seen, started, gate) = (Collector<Int>(), Gate(), Gate())
        let options = SubscriptionOptions(
            name: "newest", capacity: 100, overflow: .conflate(by: .symbol), deadline: nil)
        let subscription = try bus.subscribe(to: .ticker, options: options) { event in
            if event.number == -1 {
                started.open()
                await gate.wait()
            } else {
                seen.add(event.number)
            }
        }
        try await bus.publish(self.ticker(-1, "FIRST"))
        await started.wait()
        for number in 0..<1000 { try await bus.publish(self.ticker(number, "S\(number % 10)")) }
        gate.open()
        await bus.stop()
        #expect(seen.values == Array(990..<1000))
        #expect(subscription.statistics.conflated == 990)
        #expect(subscription.statistics.dropped == 0)
    }

    @Test func `whoever waits for a conflated event to be handled is not left waiting`() async throws {
        let bus = MemoryEventBus()
        let (started, gate) = (Gate(), Gate())
        let options = SubscriptionOptions(name: "newest", overflow: .conflate(by: .symbol), deadline: nil)
        try bus.subscribe(to: .ticker, options: options) { event in
            if event.number == -1 {
                started.open()
                await gate.wait()
            }
        }
        try await bus.publish(self.ticker(-1, "FIRST"))
        await started.wait()
        let waited = Collector<Int>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await bus.publishAndWait(self.ticker(1, "A"))
                waited.add(1)
            }
            // Replaced by the second, so it will never be handled.
            while bus.statistics.published < 2 { await Task.yield() }
            group.addTask {
                try await bus.publishAndWait(self.ticker(2, "A"))
                waited.add(2)
            }
            #expect(await waited.wait(for: 1) == [1])
            gate.open()
            #expect(await waited.wait(for: 2) == [1, 2])
            try await group.waitForAll()
        }
        await bus.stop()
    }
}
