import Testing

@testable import Tidings

@Suite struct SubscriptionBufferTests {
    private func batch(_ numbers: Range<Int>, priority: EventPriority = .normal) -> EventSelection {
        EventSelection(EventBatch(numbers.map { .sample($0, priority: priority) }))
    }

    private func drain(_ buffer: inout SubscriptionBuffer) -> [Int] {
        var numbers: [Int] = []
        while let delivery = buffer.take(at: 0) { numbers += delivery.selection.map(\.number) }
        return numbers
    }

    @Test func `events come out in the order they went in`() {
        var buffer = SubscriptionBuffer(capacity: 100, overflow: .wait)
        buffer.offer(self.batch(0..<3), at: 0)
        buffer.offer(self.batch(3..<5), at: 0)
        #expect(self.drain(&buffer) == [0, 1, 2, 3, 4])
        let isEmpty = buffer.isEmpty
        #expect(isEmpty)
    }

    @Test func `urgent events overtake those that wait`() {
        var buffer = SubscriptionBuffer(capacity: 100, overflow: .wait)
        buffer.offer(self.batch(0..<3), at: 0)
        buffer.offer(self.batch(10..<12, priority: .critical), at: 0)
        buffer.offer(self.batch(20..<21, priority: .low), at: 0)
        #expect(self.drain(&buffer) == [10, 11, 0, 1, 2, 20])
    }

    @Test func `a batch of mixed priorities is taken apart and keeps its order within each`() {
        var buffer = SubscriptionBuffer(capacity: 100, overflow: .wait)
        let priorities: [EventPriority] = [5, 1, 5, 10, 1]
        let batch = EventBatch(priorities.enumerated().map { .sample($0.offset, priority: $0.element) })
        buffer.offer(EventSelection(batch), at: 0)
        #expect(self.drain(&buffer) == [1, 4, 0, 2, 3])
    }

    @Test func `what has waited for a second counts as one lane more urgent`() {
        var buffer = SubscriptionBuffer(capacity: 100, overflow: .wait)
        buffer.offer(self.batch(0..<1, priority: .low), at: 0)
        buffer.offer(self.batch(1..<2), at: 4_500_000_000)
        buffer.offer(self.batch(2..<3, priority: .critical), at: 5_000_000_000)
        // Priority 10 has waited for five seconds by now, so it counts as 5, and came before the other of that urgency.
        let order = (0..<3).compactMap { _ in buffer.take(at: 5_000_000_000)?.selection.first { _ in true }?.number }
        #expect(order == [2, 0, 1])
    }

    @Test func `at most so many events are taken as asked for, and the rest stays in order`() {
        var buffer = SubscriptionBuffer(capacity: 100, overflow: .wait)
        buffer.offer(self.batch(0..<5), at: 0)
        let first = buffer.take(at: 0, limit: 2)
        #expect(first?.selection.map(\.number) == [0, 1])
        #expect(self.drain(&buffer) == [2, 3, 4])
        let (count, weight) = (buffer.count, buffer.weight)
        #expect(count == 0 && weight == 0)
    }

    @Test func `a large event takes the room of several`() {
        let large = StandardEvent(
            eventType: .custom, source: "test", payload: ["text": .string(String(repeating: "x", count: 20_000))])
        #expect(large.weight == 5)
        var buffer = SubscriptionBuffer(capacity: 6, overflow: .dropOldest)
        buffer.offer(self.batch(0..<3), at: 0)
        buffer.offer(EventSelection(EventBatch(large)), at: 0)
        let (count, dropped) = (buffer.count, buffer.dropped)
        #expect(count == 2 && dropped == 2)
    }

    @Test func `a few events of a batch are copied when more wait behind them`() {
        var buffer = SubscriptionBuffer(capacity: 100, overflow: .wait)
        let batch = EventBatch((0..<64).map { StandardEvent.sample($0) })
        buffer.offer(EventSelection(batch, mask: 1 << 7), at: 0)
        buffer.offer(self.batch(100..<101), at: 0)
        let first = buffer.take(at: 0)
        #expect(first?.selection.map(\.number) == [7])
        #expect(first?.selection.batch !== batch)
        #expect(first?.selection.batch.count == 1)
    }

    @Test func `a full buffer drops its oldest events of the least urgent lane`() {
        var buffer = SubscriptionBuffer(capacity: 4, overflow: .dropOldest)
        buffer.offer(self.batch(0..<3), at: 0)
        buffer.offer(self.batch(10..<11, priority: .critical), at: 0)
        buffer.offer(self.batch(3..<5), at: 0)
        let dropped = buffer.dropped
        #expect(dropped == 2)
        #expect(self.drain(&buffer) == [10, 2, 3, 4])
    }

    @Test func `a full buffer drops the newest events where it is told to`() {
        var buffer = SubscriptionBuffer(capacity: 4, overflow: .dropNewest)
        buffer.offer(self.batch(0..<3), at: 0)
        buffer.offer(self.batch(3..<6), at: 0)
        let dropped = buffer.dropped
        #expect(dropped == 2)
        #expect(self.drain(&buffer) == [0, 1, 2, 3])
    }

    @Test func `the loss is told with the next delivery, once`() {
        var buffer = SubscriptionBuffer(capacity: 2, overflow: .dropOldest)
        buffer.offer(self.batch(0..<5), at: 0)
        let first = buffer.take(at: 0)
        #expect(first?.dropped == 3)
        buffer.offer(self.batch(5..<6), at: 0)
        let second = buffer.take(at: 0)
        #expect(second?.dropped == 0)
    }

    @Test func `what a consumer puts back comes first again`() throws {
        var buffer = SubscriptionBuffer(capacity: 10, overflow: .wait)
        buffer.offer(self.batch(0..<3), at: 0)
        buffer.offer(self.batch(3..<4), at: 0)
        let offered = buffer.take(at: 0)
        let taken = try #require(offered)
        let rest = taken.selection.mask & (taken.selection.mask - 1)
        buffer.putBack(EventSelection(taken.selection.batch, mask: rest), offeredAt: 0)
        #expect(self.drain(&buffer) == [1, 2, 3])
    }

    /// Against a model: a list for each lane.
    @Test(arguments: 0..<20) func `random offers and takes agree with a plain model`(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let overflow: SubscriptionOptions.Overflow = [.dropOldest, .dropNewest, .wait][seed % 3]
        let (isDroppingOldest, isDroppingNewest, isWaiting) = (seed % 3 == 0, seed % 3 == 1, seed % 3 == 2)
        var buffer = SubscriptionBuffer(capacity: 20, overflow: overflow)
        var model: [(lane: Int, number: Int)] = []
        var next = 0
        for _ in 0..<400 {
            if Bool.random(using: &generator) {
                let count = Int.random(in: 1...12, using: &generator)
                let events = (0..<count).map { _ -> StandardEvent in
                    next += 1
                    let priority = EventPriority(Int.random(in: 1...10, using: &generator)) ?? .normal
                    return .sample(next, priority: priority)
                }
                if isWaiting && buffer.weight + count > 20 { continue }
                buffer.offer(EventSelection(EventBatch(events)), at: 0)
                for event in events {
                    if isDroppingNewest && model.count >= 20 { continue }
                    model.append((event.priority.lane, event.number))
                }
                while isDroppingOldest && model.count > 20 {
                    guard let lane = model.map(\.lane).max(), let place = model.firstIndex(where: { $0.lane == lane })
                    else { break }
                    model.remove(at: place)
                }
            } else if let delivery = buffer.take(at: 0) {
                for event in delivery.selection {
                    let lane = model.map(\.lane).min()
                    let place = model.firstIndex { $0.lane == lane }
                    #expect(place.map { model[$0].number } == event.number)
                    if let place { model.remove(at: place) }
                }
            } else {
                #expect(model.isEmpty)
            }
            let count = buffer.count
            #expect(count == model.count)
        }
    }
}
