import Testing
import TidingsTestSupport

@testable import Tidings

/// Serial for each key, parallel across keys.
@Suite(.timeLimit(.minutes(1))) struct KeyedScheduleTests {
    private func trade(_ number: Int, _ symbol: String) -> StandardEvent {
        StandardEvent(
            eventType: .trade, source: "test",
            payload: ["symbol": .string(symbol), "n": .number(ExactDecimal(number))])
    }

    private func delivery(_ number: Int, _ symbol: String) -> SubscriptionBuffer.Delivery {
        SubscriptionBuffer.Delivery(
            selection: EventSelection(EventBatch(self.trade(number, symbol))), offeredAt: 0, lane: 4, dropped: 0)
    }

    private func number(_ delivery: SubscriptionBuffer.Delivery?) -> Int? {
        delivery?.selection.first { _ in true }?.number
    }

    @Test func `an event whose key is being handled is set aside for the worker that has the key`() {
        var schedule = KeyedSchedule(by: .symbol)
        let first = self.delivery(1, "A")
        #expect(self.number(schedule.admit(first)) == 1)
        #expect(schedule.admit(self.delivery(2, "A")) == nil)
        #expect(self.number(schedule.admit(self.delivery(3, "B"))) == 3)
        #expect(schedule.admit(self.delivery(4, "A")) == nil)
        #expect(schedule.asideCount == 2)
        let second = schedule.finish(first)
        #expect(self.number(second) == 2)
        #expect(self.number(schedule.finish(self.delivery(2, "A"))) == 4)
        #expect(schedule.finish(self.delivery(4, "A")) == nil)
        #expect(schedule.asideCount == 0)
        #expect(self.number(schedule.admit(self.delivery(5, "A"))) == 5)
    }

    @Test func `when the worker goes away what is aside for it goes back in order`() {
        var schedule = KeyedSchedule(by: .symbol)
        let first = self.delivery(1, "A")
        _ = schedule.admit(first)
        for number in 2..<5 { _ = schedule.admit(self.delivery(number, "A")) }
        #expect(schedule.release(first).map { self.number($0) } == [2, 3, 4])
        #expect(schedule.asideCount == 0)
        #expect(self.number(schedule.admit(self.delivery(5, "A"))) == 5)
    }

    @Test func `each symbol's events are handled in order, and several symbols at once`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<(String, Int)>()
        let (running, most) = (Locked([String: Int]()), Locked(0))
        let (all, both) = (Locked(0), Gate())
        let options = SubscriptionOptions(name: "keyed", deadline: nil, concurrency: .keyed(4, by: .symbol))
        try bus.subscribe(to: .trade, options: options) { event in
            let symbol = event.payload.symbol?.description ?? ""
            let count = running.withLock { running in
                running[symbol, default: 0] += 1
                return running[symbol, default: 0]
            }
            most.withLock { $0 = max($0, count) }
            if event.number < 4 {
                if all.withLock({ all in
                    all += 1
                    return all == 4
                }) {
                    both.open()
                }
                await both.wait()
            }
            await Task.yield()
            running.withLock { $0[symbol, default: 0] -= 1 }
            seen.add((symbol, event.number))
        }
        for number in 0..<400 { try await bus.publish(self.trade(number, "S\(number % 4)")) }
        await bus.stop()
        #expect(most.withLock { $0 } == 1)
        #expect(seen.values.count == 400)
        for symbol in 0..<4 {
            let own = seen.values.filter { $0.0 == "S\(symbol)" }.map(\.1)
            #expect(own == own.sorted())
        }
    }

    @Test func `a slow key holds up no other, even when its own events pile up`() async throws {
        let bus = MemoryEventBus()
        let (slow, fast) = (Collector<Int>(), Collector<Int>())
        let (started, gate) = (Gate(), Gate())
        let options = SubscriptionOptions(name: "keyed", deadline: nil, concurrency: .keyed(2, by: .symbol))
        try bus.subscribe(to: .trade, options: options) { event in
            if event.payload.symbol == "SLOW" {
                started.open()
                await gate.wait()
                slow.add(event.number)
            } else {
                fast.add(event.number)
            }
        }
        for number in 0..<500 { try await bus.publish(self.trade(number, number < 300 ? "SLOW" : "FAST")) }
        await started.wait()
        #expect(await fast.wait(for: 200) == Array(300..<500))
        #expect(slow.values.isEmpty)
        gate.open()
        await bus.stop()
        #expect(slow.values == Array(0..<300))
    }

    @Test func `calls that overrun their deadline leave the capacity as it was`() async throws {
        let bus = MemoryEventBus()
        let handled = Collector<Int>()
        let options = SubscriptionOptions(
            name: "keyed", capacity: 8, deadline: .milliseconds(20), grace: .seconds(20),
            concurrency: .keyed(2, by: .symbol))
        let subscription = try bus.subscribe(to: .trade, options: options) { event in
            guard event.number % 8 == 0 else { return handled.add(event.number) }
            // Ends when it is cancelled, with the seven behind it set aside.
            try await Task.sleep(for: .seconds(60))
        }
        for round in 0..<6 {
            for number in round * 8..<round * 8 + 8 { try await bus.publish(self.trade(number, "A")) }
            _ = await handled.wait(for: (round + 1) * 7)
        }
        // All of the room is there again.
        #expect(subscription.statistics.pending == 0)
        let batch = EventBatch((1..<8).map { self.trade($0 * 8 + 1, "B") } + [self.trade(1, "B")])
        #expect(try bus.tryPublish(batch).acceptedCount == 8)
        await bus.stop()
        #expect(subscription.statistics.dead == 6)
    }
}
