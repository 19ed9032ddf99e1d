import Testing
import TidingsTestSupport

@testable import Tidings

@Suite(.timeLimit(.minutes(1)))
struct HandlerExecutorTests {
    @Test func `there is no thread before the first job`() async {
        let executor = HandlerExecutor.make()
        let owner = executor.owner(named: "a", priority: 4)
        #expect(executor.snapshot.threads == 0)
        await Task(executorPreference: owner) {}.value
        #expect((1...2).contains(executor.snapshot.threads))
        #expect(await executor.shutdown().isEmpty)
        #expect(executor.snapshot.threads == 0)
    }

    @Test func `jobs that block every thread stop no other`() async {
        let executor = HandlerExecutor.make()
        let blocker = Blocker()
        let blocking = executor.owner(named: "blocking", priority: 0)
        let other = executor.owner(named: "other", priority: 9)
        let tasks = (0..<10).map { _ in Task(executorPreference: blocking) { blocker.block() } }
        await Task(executorPreference: other) {}.value
        await blocker.wait(for: 10)
        await Task(executorPreference: other) {}.value
        #expect(executor.snapshot.threads >= 11)
        blocker.open()
        for task in tasks { await task.value }
        await executor.shutdown()
    }

    @Test func `the pool stays within its maximum`() async throws {
        let executor = HandlerExecutor.make { $0.maximum = 4 }
        let blocker = Blocker()
        let owner = executor.owner(named: "blocking", priority: 4)
        let tasks = (0..<12).map { _ in Task(executorPreference: owner) { blocker.block() } }
        await blocker.wait(for: 4)
        let looks = executor.snapshot.watcherWakeUps
        try await until { executor.snapshot.watcherWakeUps > looks + 5 }
        #expect(blocker.held == 4)
        #expect(executor.snapshot.threads == 4)
        #expect(executor.snapshot.waiting == 8)
        blocker.open()
        for task in tasks { await task.value }
        await executor.shutdown()
    }

    @Test func `what waits runs by priority`() async throws {
        let executor = HandlerExecutor.make {
            $0.minimum = 1
            $0.maximum = 1
        }
        let blocker = Blocker()
        let order = Collector<Int>()
        let first = Task(executorPreference: executor.owner(named: "first", priority: 9)) { blocker.block() }
        await blocker.wait(for: 1)
        let tasks = [9, 4, 0, 4, 20, -3].map { priority in
            let owner = executor.owner(named: "\(priority)", priority: priority)
            return Task(executorPreference: owner) { order.add(priority) }
        }
        try await until { executor.snapshot.waiting == 6 }
        blocker.open()
        for task in tasks + [first] { await task.value }
        #expect(order.values == [0, -3, 4, 4, 9, 20])
        await executor.shutdown()
    }

    @Test func `idle threads end, and the next job starts another`() async throws {
        let executor = HandlerExecutor.make { $0.idleTime = .milliseconds(20) }
        let owner = executor.owner(named: "a", priority: 4)
        for round in 1...3 {
            await Task(executorPreference: owner) {}.value
            try await until { executor.snapshot.threads == 0 }
            #expect(executor.snapshot.jobs >= round)
        }
    }

    @Test func `child tasks and actors run on the owner's threads`() async {
        actor Counter {
            var value = 0
            func add() { self.value += 1 }
        }
        let executor = HandlerExecutor.make()
        let counter = Counter()
        await Task(executorPreference: executor.owner(named: "a", priority: 4)) {
            await withTaskGroup { group in
                for _ in 0..<50 { group.addTask { await counter.add() } }
            }
            try? await Task.sleep(for: .milliseconds(1))
            await counter.add()
        }.value
        #expect(await counter.value == 51)
        #expect(executor.snapshot.jobs >= 51)
        await executor.shutdown()
    }

    @Test func `ten tasks that wake each other all arrive`() async {
        let executor = HandlerExecutor.make()
        let rounds = 500
        await withTaskGroup { group in
            for pair in 0..<5 {
                let (ping, pong) = (Relay(), Relay())
                let owner = executor.owner(named: "pair \(pair)", priority: pair)
                group.addTask(executorPreference: owner) {
                    for _ in 0..<rounds {
                        ping.pass()
                        await pong.wait()
                    }
                }
                group.addTask(executorPreference: pair % 2 == 0 ? owner : nil) {
                    for _ in 0..<rounds {
                        await ping.wait()
                        pong.pass()
                    }
                }
            }
        }
        #expect(executor.snapshot.waiting == 0)
        #expect(await executor.shutdown().isEmpty)
    }

    @Test func `a shutdown waits for the jobs that run`() async {
        let executor = HandlerExecutor.make()
        let blocker = Blocker()
        let done = Collector<Bool>()
        let task = Task(executorPreference: executor.owner(named: "slow", priority: 4)) {
            blocker.block()
            done.add(true)
        }
        await blocker.wait(for: 1)
        async let left = executor.shutdown(within: .seconds(30))
        blocker.open()
        #expect(await left.isEmpty)
        #expect(done.values == [true])
        #expect(executor.snapshot.threads == 0)
        await task.value
    }

    @Test func `a shutdown names the stuck and leaves them behind`() async throws {
        let executor = HandlerExecutor.make()
        let blocker = Blocker()
        let stuck = Task(executorPreference: executor.owner(named: "stuck", priority: 4)) { blocker.block() }
        await blocker.wait(for: 1)
        #expect(await executor.shutdown(within: .milliseconds(50)).map(\.owner) == ["stuck"])
        // What comes later runs all the same, and its thread goes when it has.
        await Task(executorPreference: executor.owner(named: "late", priority: 4)) {}.value
        blocker.open()
        await stuck.value
        try await until { executor.snapshot.threads == 0 }
    }

    @Test func `an executor that nobody uses goes away`() async throws {
        weak var gone: HandlerExecutor?
        do {
            let executor = HandlerExecutor.make { $0.idleTime = .milliseconds(10) }
            await Task(executorPreference: executor.owner(named: "a", priority: 4)) {}.value
            gone = executor
        }
        while gone != nil { try await Task.sleep(for: .milliseconds(5)) }
    }
}

/// Wakes one waiting task, or the next one that waits.
private final class Relay: Sendable {
    private struct State {
        var passes = 0
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Locked(State())

    func pass() {
        let waiting = self.state.withLock { state in
            defer { state.waiting = nil }
            if state.waiting == nil { state.passes += 1 }
            return state.waiting
        }
        waiting?.resume()
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isPassed = self.state.withLock { state in
                guard state.passes == 0 else {
                    state.passes -= 1
                    return true
                }
                state.waiting = continuation
                return false
            }
            if isPassed { continuation.resume() }
        }
    }
}
