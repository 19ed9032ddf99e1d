import Testing
import TidingsTestSupport

@testable import Tidings

@Suite(.timeLimit(.minutes(1)))
struct HandlerWatcherTests {
    @Test func `a job that blocks its thread is named once, and once more when it returns`() async throws {
        let executor = HandlerExecutor.make { $0.blockedAfter = .milliseconds(30) }
        let holds = Collector<HandlerHold>()
        let blocker = Blocker()
        let quick = executor.owner(named: "quick", priority: 4) { holds.add($0) }
        let slow = executor.owner(named: "slow", priority: 4) { holds.add($0) }
        let task = Task(executorPreference: slow) { blocker.block() }
        await Task(executorPreference: quick) {}.value
        #expect(await holds.wait(for: 1).map(\.phase) == [.blocked])
        let looks = executor.snapshot.watcherWakeUps
        try await until { executor.snapshot.watcherWakeUps > looks + 3 }
        #expect(holds.values.count == 1)
        blocker.open()
        await task.value
        let both = await holds.wait(for: 2)
        #expect(both.map(\.owner) == ["slow", "slow"])
        #expect(both.map(\.phase) == [.blocked, .released])
        #expect(both[0].duration >= .milliseconds(30))
        #expect(both[1].duration > both[0].duration)
        try await until { executor.snapshot.isWatcherParked }
        #expect(holds.values.count == 2)
        await executor.shutdown()
    }

    @Test func `a task that waits without its thread is not blamed`() async throws {
        let executor = HandlerExecutor.make { $0.blockedAfter = .milliseconds(10) }
        let holds = Collector<HandlerHold>()
        let gate = Gate()
        let owner = executor.owner(named: "waits", priority: 4) { holds.add($0) }
        let task = Task(executorPreference: owner) { await gate.wait() }
        try await until { executor.snapshot.jobs > 0 && executor.snapshot.watcherWakeUps > 0 }
        try await until { executor.snapshot.isWatcherParked }
        gate.open()
        await task.value
        #expect(holds.values.isEmpty)
        await executor.shutdown()
    }

    @Test func `nothing wakes up while nothing happens`() async throws {
        let executor = HandlerExecutor.make()
        let slot = executor.watchCalls(deadline: .seconds(30), grace: .seconds(5)) { _ in }
        defer { executor.unwatch(slot) }
        #expect(executor.snapshot.watcherWakeUps == 0)
        for round in 1...2 {
            slot.begin()
            await Task(executorPreference: executor.owner(named: "a", priority: 4)) {}.value
            #expect(slot.end() == .inTime)
            try await until { executor.snapshot.isWatcherParked }
            let before = executor.snapshot
            // There is nothing to wait for here but that time passes.
            try await Task.sleep(for: .milliseconds(300))
            let after = executor.snapshot
            #expect(after.watcherWakeUps == before.watcherWakeUps, "round \(round)")
            #expect(after.jobs == before.jobs)
        }
        await executor.shutdown()
    }

    @Test func `it looks rarely while a busy executor has a thread for every job`() async {
        let executor = HandlerExecutor.make()
        let start = MonotonicClock.nanoseconds()
        await Task(executorPreference: executor.owner(named: "a", priority: 4)) {
            while MonotonicClock.nanoseconds() - start < 300_000_000 { await Task.yield() }
        }.value
        #expect(executor.snapshot.jobs > 100)
        #expect(executor.snapshot.watcherWakeUps < 100)
        await executor.shutdown()
    }
}
