import Testing
import TidingsTestSupport

@testable import Tidings

/// What becomes of events whose handler gave up, and how they are handled after all.
@Suite(.timeLimit(.minutes(1))) struct DeadLetterTests {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private func letters(_ bus: MemoryEventBus) async throws -> [DeadLetter] {
        try await bus.deadLetters.letters(after: nil, limit: 100)
    }

    /// Waits until there are so many dead letters, which is after the `error` event that tells of one has been seen.
    private func wait(for count: Int, _ errors: Collector<StandardEvent>) async { _ = await errors.wait(for: count) }

    @Test func `a dead letter keeps event, subscriber, first and last error, attempts and times`() async throws {
        let bus = MemoryEventBus(log: MemoryEventLog())
        let calls = Locked(0)
        let options = SubscriptionOptions(name: "fragile", retry: RetryPolicy(attempts: 3, firstDelay: .zero))
        try bus.subscribe(to: .trade, options: options) { _ in
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            throw Failure(description: "failure \(call)")
        }
        let before = Timestamp.now()
        let event = StandardEvent.sample(1, type: .trade)
        try await bus.publish(.sample(0))
        try await bus.publishAndWait(event)
        await bus.stop()
        let letter = try #require(try await self.letters(bus).first)
        #expect(letter.event.eventID == event.eventID)
        #expect(letter.offset == 2)
        #expect(letter.subscriber == "fragile")
        #expect(letter.firstError == "failure 1")
        #expect(letter.lastError == "failure 3")
        #expect(letter.attempts == 3)
        #expect(letter.firstFailedAt >= before && letter.lastFailedAt >= letter.firstFailedAt)
        #expect(letter.lastFailedAt <= .now())
    }

    @Test func `retrying goes through the handler that failed and no other, and discards the letter on success`()
        async throws
    {
        let bus = MemoryEventBus()
        let (mended, calls, others, errors) = (
            Locked(false), Collector<Int>(), Collector<Int>(), Collector<StandardEvent>()
        )
        try bus.subscribe(to: .error) { errors.add($0) }
        try bus.subscribe(to: .trade, options: SubscriptionOptions(name: "fragile")) { event in
            calls.add(event.number)
            if !mended.withLock({ $0 }) { throw Failure(description: "broken") }
        }
        try bus.subscribe(to: .trade, options: SubscriptionOptions(name: "other")) { others.add($0.number) }
        try bus.addTap(to: .type(.trade), name: "tap") { others.add($0.number) }
        try await bus.publish(.sample(7, type: .trade))
        await self.wait(for: 1, errors)
        let letter = try #require(try await self.letters(bus).first)
        mended.withLock { $0 = true }
        try await bus.retry(letter.id)
        #expect(await calls.wait(for: 2) == [7, 7])
        await bus.stop()
        #expect(try await self.letters(bus).isEmpty)
        #expect(others.values == [7, 7])
        #expect(bus.statistics.published == 2, "the trade and the error event")
    }

    @Test func `a retry that fails adds its attempts to the letter and makes no second one`() async throws {
        let bus = MemoryEventBus()
        let errors = Collector<StandardEvent>()
        try bus.subscribe(to: .error) { errors.add($0) }
        let calls = Locked(0)
        let options = SubscriptionOptions(name: "fragile", retry: RetryPolicy(attempts: 2, firstDelay: .zero))
        try bus.subscribe(to: .trade, options: options) { _ in
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            throw Failure(description: "failure \(call)")
        }
        try await bus.publish(.sample(1, type: .trade))
        await self.wait(for: 1, errors)
        let first = try #require(try await self.letters(bus).first)
        try await bus.retry(first.id)
        await self.wait(for: 2, errors)
        await bus.stop()
        let letters = try await self.letters(bus)
        #expect(letters.count == 1)
        let letter = try #require(letters.first)
        #expect(letter.id == first.id)
        #expect(letter.attempts == 4)
        #expect(letter.firstError == "failure 1" && letter.lastError == "failure 4")
        #expect(letter.firstFailedAt == first.firstFailedAt && letter.lastFailedAt >= first.lastFailedAt)
    }

    @Test func `retrying an unknown letter, or one whose handler is gone, says which`() async throws {
        let bus = MemoryEventBus()
        let errors = Collector<StandardEvent>()
        try bus.subscribe(to: .error) { errors.add($0) }
        let unknown = await #expect(throws: EventBusError.self) { try await bus.retry(EventID()) }
        #expect(unknown?.code == .notFound)
        let gone = try bus.subscribe(to: .trade, options: SubscriptionOptions(name: "gone")) { _ in
            throw Failure(description: "broken")
        }
        try await bus.publish(.sample(1, type: .trade))
        await self.wait(for: 1, errors)
        gone.cancel()
        let letter = try #require(try await self.letters(bus).first)
        let error = await #expect(throws: EventBusError.self) { try await bus.retry(letter.id) }
        #expect(error?.code == .noSuchHandler)
        #expect(error?.message.contains("gone") == true)
        await bus.stop()
        let stopped = await #expect(throws: EventBusError.self) { try await bus.retry(letter.id) }
        #expect(stopped?.code == .stopped)
        #expect(try await self.letters(bus).count == 1)
    }

    @Test func `a letter of a handler that conflates can be retried too`() async throws {
        let bus = MemoryEventBus()
        let (mended, calls, errors) = (Locked(false), Collector<Int>(), Collector<StandardEvent>())
        try bus.subscribe(to: .error) { errors.add($0) }
        let options = SubscriptionOptions(name: "newest", overflow: .conflate(by: .symbol))
        try bus.subscribe(to: .trade, options: options) { event in
            calls.add(event.number)
            if !mended.withLock({ $0 }) { throw Failure(description: "broken") }
        }
        try await bus.publish(.sample(7, type: .trade))
        await self.wait(for: 1, errors)
        let letter = try #require(try await self.letters(bus).first)
        try await bus.retry(letter.id)
        await self.wait(for: 2, errors)
        #expect(try await self.letters(bus).map(\.id) == [letter.id])
        mended.withLock { $0 = true }
        try await bus.retry(letter.id)
        #expect(await calls.wait(for: 3) == [7, 7, 7])
        await bus.stop()
        #expect(try await self.letters(bus).isEmpty)
    }

    @Test func `letters of a bus with a log outlive the bus`() async throws {
        let log = MemoryEventLog()
        let first = MemoryEventBus(log: log)
        try first.subscribe(to: .trade, options: SubscriptionOptions(name: "fragile")) { _ in
            throw Failure(description: "broken")
        }
        try await first.publishAndWait(.sample(7, type: .trade))
        await first.stop()
        let second = MemoryEventBus(log: log)
        let calls = Collector<Int>()
        try second.subscribe(to: .trade, options: SubscriptionOptions(name: "fragile")) { calls.add($0.number) }
        let letter = try #require(try await self.letters(second).first)
        try await second.retry(letter.id)
        #expect(await calls.wait(for: 1) == [7])
        await second.stop()
        #expect(try await self.letters(second).isEmpty)
    }

    @Test func `errors that quote secrets are kept and told without them`() async throws {
        let bus = MemoryEventBus()
        let errors = Collector<StandardEvent>()
        try bus.subscribe(to: .error) { errors.add($0) }
        try bus.subscribe(to: .trade, options: SubscriptionOptions(name: "fragile")) { _ in
            throw Failure(description: "no answer from https://user:hunter2hunter2@example.com/x")
        }
        try await bus.publish(.sample(7, type: .trade))
        let error = try #require(await errors.wait(for: 1).first)
        await bus.stop()
        let letter = try #require(try await self.letters(bus).first)
        #expect(letter.firstError.contains("example.com") && !letter.firstError.contains("hunter2"))
        #expect(!letter.lastError.contains("hunter2"))
        #expect(!error.payload.object.description.contains("hunter2"))
    }
}
