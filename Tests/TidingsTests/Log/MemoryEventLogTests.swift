import Testing
import TidingsTestSupport

@testable import Tidings

@Suite struct MemoryEventLogTests {
    @Test func `offsets start at 1, have no gaps, and skip what is known`() async throws {
        let log = MemoryEventLog()
        let (a, b, c) = (StandardEvent.sample(1), StandardEvent.sample(2), StandardEvent.sample(3))
        let first = try await log.append([EventSelection(EventBatch([a, b]))])
        let second = try await log.append([EventSelection(EventBatch([b, c, a]))])
        #expect(first[0].committed?.firstOffset == 1)
        #expect(second[0].committed?.firstOffset == 3)
        #expect(second[0].duplicates == [0: 2, 2: 1])
        #expect(try await log.read(LogQuery()).map(\.offset) == [1, 2, 3])
        #expect(log.bounds == LogBounds(oldest: 1, head: 3))
    }

    @Test func `reading obeys filter, offsets, order and limit`() async throws {
        let log = MemoryEventLog()
        let types: [EventType] = [.trade, .ticker]
        let events = (0..<200).map { StandardEvent.sample($0, type: types[$0 % 2]) }
        for batch in EventBatch.batches(of: events) { _ = try await log.append([EventSelection(batch)]) }
        let trades = try await log.read(LogQuery(filter: .type(.trade), after: 100, through: 110))
        #expect(trades.map(\.offset) == [101, 103, 105, 107, 109])
        let newest = try await log.read(LogQuery(order: .descending, limit: 3))
        #expect(newest.map(\.offset) == [200, 199, 198])
    }

    @Test func `the oldest events go when it is full, and their ids with them`() async throws {
        let log = MemoryEventLog(capacity: 100)
        let events = (0..<640).map { StandardEvent.sample($0) }
        for batch in EventBatch.batches(of: events) { _ = try await log.append([EventSelection(batch)]) }
        let bounds = log.bounds
        #expect(bounds.head == 640)
        #expect(bounds.oldest == 513)
        #expect(try await log.read(LogQuery(limit: 1)).first?.offset == 513)
        #expect(try await log.event(events[0].eventID) == nil)
        #expect(try await log.event(events[600].eventID)?.offset == 601)
    }

    @Test func `a follower sees every commit above the bounds it was given, once`() async throws {
        let log = MemoryEventLog()
        let seen = Collector<Int64>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for number in 0..<200 { _ = try await log.append([EventSelection(EventBatch(.sample(number)))]) }
                }
            }
            while log.bounds.head < 100 { await Task.yield() }
            let (_, bounds) = log.follow { batch in
                for logged in batch.events { seen.add(logged.offset) }
            }
            try await group.waitForAll()
            #expect(seen.values == Array((bounds.head + 1)..<801))
        }
    }

    @Test func `appending after close is an error`() async throws {
        let log = MemoryEventLog()
        await log.close()
        let error = await #expect(throws: EventLogError.self) {
            try await log.append([EventSelection(EventBatch(.sample(1)))])
        }
        #expect(error?.code == .closed)
    }
}
