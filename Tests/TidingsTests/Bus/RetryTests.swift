import Testing
import TidingsTestSupport

@testable import Tidings

/// Trying again, in place.
@Suite(.timeLimit(.minutes(1))) struct RetryTests {
    struct Failure: Error {}

    struct RateLimited: RetryableError {
        var isRetryable = true
        var retryAfter: Duration?
    }

    private func delays(_ policy: RetryPolicy, _ error: any Error = Failure(), random: Double) -> [Duration?] {
        (1...policy.attempts).map { policy.delay(afterAttempt: $0, error: error, random: random) }
    }

    @Test func `pauses double up to the longest, and there is none after the last attempt`() {
        let policy = RetryPolicy(attempts: 6, firstDelay: .milliseconds(100), maximumDelay: .milliseconds(500))
        let wanted: [Duration?] = [100, 200, 400, 500, 500].map { .milliseconds($0) } + [nil]
        #expect(self.delays(policy, random: 1) == wanted)
    }

    @Test func `each pause is drawn between its half and its whole`() {
        let policy = RetryPolicy(attempts: 2, firstDelay: .milliseconds(100))
        #expect(self.delays(policy, random: 0) == [.milliseconds(50), nil])
        #expect(self.delays(policy, random: 0.5) == [.milliseconds(75), nil])
        var random = SeededGenerator(seed: 3)
        for attempt in 1..<40 {
            let policy = RetryPolicy(attempts: 100, firstDelay: .milliseconds(7), multiplier: 1.7)
            let delay = policy.delay(
                afterAttempt: attempt, error: Failure(), random: .random(in: 0...1, using: &random))
            #expect(delay ?? .zero > .zero && delay ?? .zero <= policy.maximumDelay)
        }
    }

    @Test func `one attempt means none further`() {
        #expect(RetryPolicy.none.delay(afterAttempt: 1, error: Failure(), random: 0) == nil)
        #expect(RetryPolicy(attempts: 0).attempts == 1)
    }

    @Test func `an error says when to try again, up to the longest pause`() {
        let policy = RetryPolicy(attempts: 3, firstDelay: .milliseconds(1), maximumDelay: .seconds(5))
        #expect(policy.delay(afterAttempt: 1, error: RateLimited(retryAfter: .seconds(2)), random: 0) == .seconds(2))
        #expect(policy.delay(afterAttempt: 1, error: RateLimited(retryAfter: .seconds(60)), random: 0) == .seconds(5))
        #expect(policy.delay(afterAttempt: 1, error: RateLimited(retryAfter: .seconds(-1)), random: 0) == .zero)
        #expect(policy.delay(afterAttempt: 3, error: RateLimited(retryAfter: .seconds(2)), random: 0) == nil)
    }

    @Test func `an error that says that trying again is in vain ends it`() {
        let policy = RetryPolicy(attempts: 3)
        #expect(policy.delay(afterAttempt: 1, error: RateLimited(isRetryable: false), random: 0) == nil)
    }

    @Test func `a handler that fails twice and then succeeds has handled the event`() async throws {
        let bus = MemoryEventBus()
        let calls = Collector<Int>()
        let options = SubscriptionOptions(name: "fragile", retry: RetryPolicy(attempts: 3, firstDelay: .zero))
        let subscription = try bus.subscribe(to: .trade, options: options) { event in
            calls.add(event.number)
            if calls.values.count < 3 { throw Failure() }
        }
        try await bus.publishAndWait(.sample(1, type: .trade))
        #expect(calls.values == [1, 1, 1])
        await bus.stop()
        let statistics = subscription.statistics
        #expect(statistics.delivered == 1 && statistics.failed == 2 && statistics.retried == 2 && statistics.dead == 0)
        #expect(try await bus.deadLetters.count() == 0)
    }

    @Test func `an error that is not retryable goes to the dead letters at once`() async throws {
        let bus = MemoryEventBus()
        let calls = Collector<Int>()
        let options = SubscriptionOptions(name: "fragile", retry: RetryPolicy(attempts: 5, firstDelay: .zero))
        try bus.subscribe(to: .trade, options: options) { event in
            calls.add(event.number)
            throw RateLimited(isRetryable: false)
        }
        try await bus.publishAndWait(.sample(1, type: .trade))
        #expect(calls.values == [1])
        let letters = try await bus.deadLetters.letters(after: nil, limit: 10)
        #expect(letters.map(\.attempts) == [1])
        await bus.stop()
    }

    @Test func `stopping cuts a pause short and gives the event up`() async throws {
        let bus = MemoryEventBus()
        let failed = Gate()
        let options = SubscriptionOptions(
            name: "fragile", retry: RetryPolicy(attempts: 5, firstDelay: .seconds(3600), maximumDelay: .seconds(3600)))
        try bus.subscribe(to: .trade, options: options) { event in
            failed.open()
            throw Failure()
        }
        try await bus.publish(.sample(1, type: .trade))
        await failed.wait()
        await bus.stop()
        let letters = try await bus.deadLetters.letters(after: nil, limit: 10)
        #expect(letters.map(\.attempts) == [1])
    }

    @Test func `other events and other handlers go on while one waits for its next attempt`() async throws {
        let bus = MemoryEventBus()
        let (other, parallel, failed) = (Collector<Int>(), Collector<Int>(), Gate())
        let retry = RetryPolicy(attempts: 2, firstDelay: .seconds(3600), maximumDelay: .seconds(3600))
        try bus.subscribe(
            to: .trade, options: SubscriptionOptions(name: "fragile", concurrency: .parallel(2), retry: retry)
        ) { event in
            if event.number == 0 {
                failed.open()
                throw Failure()
            }
            parallel.add(event.number)
        }
        try bus.subscribe(to: .trade) { other.add($0.number) }
        for number in 0..<10 { try await bus.publish(.sample(number, type: .trade)) }
        await failed.wait()
        #expect(await other.wait(for: 10) == Array(0..<10))
        #expect(await parallel.wait(for: 9) == Array(1..<10))
        await bus.stop()
    }

    @Test func `every attempt has the event as its cause`() async throws {
        let bus = MemoryEventBus()
        let seen = Collector<StandardEvent>()
        try bus.subscribe(to: .custom) { seen.add($0) }
        let calls = Locked(0)
        let options = SubscriptionOptions(name: "fragile", retry: RetryPolicy(attempts: 2, firstDelay: .zero))
        try bus.subscribe(to: .trade, options: options) { event in
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            try bus.tryPublish(.sample(call, type: .custom))
            if call == 1 { throw Failure() }
        }
        let root = StandardEvent.sample(0, type: .trade)
        try await bus.publish(root)
        #expect(await seen.wait(for: 2).map(\.parentEventID) == [root.eventID, root.eventID])
        await bus.stop()
    }
}
