import Testing
import TidingsTestSupport
import TidingsTesting

@Suite(.timeLimit(.minutes(1))) struct ManualClockTests {
    @Test func `time stands still until it is moved`() async throws {
        let clock = ManualClock()
        #expect(clock.now == ManualClock.Instant())
        clock.advance(by: .seconds(5))
        clock.advance(to: .init(sinceStart: .seconds(3)))
        #expect(clock.now.sinceStart == .seconds(5))
        // What is past does not sleep.
        try await clock.sleep(until: .init(sinceStart: .seconds(5)))
    }

    @Test func `sleepers wake when their time has come, and no earlier`() async throws {
        let clock = ManualClock()
        let woken = Collector<Int>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seconds in [30, 10, 20] {
                group.addTask {
                    try await clock.sleep(for: .seconds(seconds))
                    woken.add(seconds)
                }
            }
            try await clock.waitForSleepers(3)
            clock.advance(by: .seconds(10))
            #expect(await woken.wait(for: 1) == [10])
            #expect(clock.sleeperCount == 2)
            clock.advance(by: .seconds(19))
            #expect(await woken.wait(for: 2) == [10, 20])
            #expect(clock.sleeperCount == 1)
            clock.advance(by: .seconds(1))
            try await group.waitForAll()
        }
        #expect(woken.values == [10, 20, 30])
    }

    @Test func `a sleeper that is cancelled wakes at once`() async throws {
        let clock = ManualClock()
        let sleeper = Task { try await clock.sleep(for: .seconds(1)) }
        try await clock.waitForSleepers()
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        #expect(clock.sleeperCount == 0)
    }

    @Test func `waiting for sleepers that do not come ends with a failure`() async throws {
        await #expect(throws: ConformanceFailure.self) {
            try await ManualClock().waitForSleepers(within: .milliseconds(5))
        }
    }
}
