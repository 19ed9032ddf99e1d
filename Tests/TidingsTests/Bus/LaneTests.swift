import Testing
import TidingsTestSupport

@testable import Tidings

/// Ten lanes that age, as a machine.
@Suite struct LaneTests {
    private static let second: Int64 = 1_000_000_000

    private func selection(_ number: Int, _ priority: EventPriority) -> EventSelection {
        EventSelection(EventBatch(StandardEvent.sample(number, priority: priority)))
    }

    private func drain(_ buffer: inout SubscriptionBuffer, at now: Int64) -> [Int] {
        var numbers: [Int] = []
        while let delivery = buffer.take(at: now) { numbers += delivery.selection.map(\.number) }
        return numbers
    }

    @Test func `each of ten priorities is more urgent than the next`() {
        var buffer = SubscriptionBuffer(capacity: 100, overflow: .wait)
        for value in (1...10).reversed() {
            buffer.offer(self.selection(value, EventPriority(value) ?? .normal), at: 0)
        }
        #expect(self.drain(&buffer, at: 0) == Array(1...10))
    }

    @Test func `an event that waited for a second counts as one lane more urgent`() {
        var buffer = SubscriptionBuffer(capacity: 100, overflow: .wait)
        buffer.offer(self.selection(6, 6), at: 0)
        buffer.offer(self.selection(5, 5), at: Self.second)
        // Equally urgent by now, and older.
        #expect(self.drain(&buffer, at: Self.second) == [6, 5])
        buffer.offer(self.selection(6, 6), at: 0)
        buffer.offer(self.selection(5, 5), at: Self.second - 1)
        #expect(self.drain(&buffer, at: Self.second - 1) == [5, 6])
    }

    @Test func `even the most urgent lane cannot starve the least urgent one`() {
        var buffer = SubscriptionBuffer(capacity: 100, overflow: .wait)
        buffer.offer(self.selection(1000, .low), at: 0)
        var order: [Int] = []
        for number in 0..<20 {
            let now = Int64(number) * Self.second
            buffer.offer(self.selection(number, .critical), at: now)
            if let taken = buffer.take(at: now)?.selection.first(where: { _ in true }) { order.append(taken.number) }
        }
        #expect(order.contains(1000), "\(order)")
    }

    @Test func `a machine of lanes gives everything once and in order within a lane`() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            var buffer = SubscriptionBuffer(capacity: 10_000, overflow: .wait)
            var now: Int64 = 0
            var offered: [Int: [Int]] = [:]
            var taken: [Int: [Int]] = [:]
            var number = 0
            func take(_ delivery: SubscriptionBuffer.Delivery?) {
                for event in delivery.map({ Array($0.selection) }) ?? [] {
                    taken[event.priority.lane, default: []].append(event.number)
                }
            }
            for _ in 0..<100 {
                now += Int64(random.below(700_000_000))
                switch random.below(4) {
                case 0, 1:
                    let events = (0..<random.below(8) + 1).map { _ in
                        number += 1
                        return StandardEvent.sample(number, priority: EventPriority(random.below(10) + 1) ?? .normal)
                    }
                    for event in events { offered[event.priority.lane, default: []].append(event.number) }
                    buffer.offer(EventSelection(EventBatch(events)), at: now)
                case 2:
                    take(buffer.take(at: now, limit: random.below(5) + 1))
                default:
                    // A consumer takes some, handles the first and gives the rest back.
                    guard let delivery = buffer.take(at: now) else { break }
                    let first = delivery.selection.first(1)
                    var handled = delivery
                    handled.selection = first
                    take(handled)
                    let rest = delivery.selection.mask & ~first.mask
                    buffer.putBack(EventSelection(delivery.selection.batch, mask: rest), offeredAt: delivery.offeredAt)
                }
            }
            while let delivery = buffer.take(at: now) { take(delivery) }
            #expect(offered == taken)
            let (count, weight) = (buffer.count, buffer.weight)
            #expect(count == 0 && weight == 0)
        }
    }

    @Test func `events of one publisher overtake one another only by priority`() async throws {
        let bus = MemoryEventBus()
        let (seen, started, gate) = (Collector<Int>(), Gate(), Gate())
        try bus.subscribe(to: "*") { event in
            if event.number == -1 {
                started.open()
                await gate.wait()
            } else {
                seen.add(event.number)
            }
        }
        try bus.tryPublish(.sample(-1))
        await started.wait()
        for number in 0..<100 {
            try bus.tryPublish(.sample(number, priority: EventPriority(number % 10 + 1) ?? .normal))
        }
        gate.open()
        await bus.stop()
        let expected = (0..<10).flatMap { lane in stride(from: lane, to: 100, by: 10) }
        #expect(seen.values == expected)
    }

    @Test func `handlers of a lower priority number are handed an event first`() async throws {
        let bus = MemoryEventBus()
        for (name, priority) in [
            ("last", EventPriority.low), ("first", .critical), ("middle", .normal), ("second", .high),
        ] {
            try bus.subscribe(to: "*", options: SubscriptionOptions(name: name, priority: priority)) { _ in }
        }
        #expect(bus.subscriptions.map(\.name) == ["first", "second", "middle", "last"])
        await bus.stop()
    }
}
