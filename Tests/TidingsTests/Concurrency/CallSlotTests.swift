import Testing
import TidingsTestSupport

@testable import Tidings

@Suite(.timeLimit(.minutes(1)))
struct CallSlotTests {
    private let overruns = Collector<CallSlot.Overrun>()
    private let executor = HandlerExecutor.make()

    /// A slot that only the test looks at: 100 ns, and 50 of grace.
    private func makeSlot() -> CallSlot {
        CallSlot(deadline: .nanoseconds(100), grace: .nanoseconds(50), executor: self.executor) { [overruns] in
            overruns.add($0)
        }
    }

    private var limits: [CallSlot.Overrun.Limit] { self.overruns.values.map(\.limit) }

    @Test func `deadline and grace are reported once each`() {
        let slot = self.makeSlot()
        let call = slot.begin(at: 1_000)
        for now in [1_050, 1_099] as [Int64] { #expect(slot.look(at: now)) }
        #expect(self.limits == [])
        for now in [1_100, 1_101, 1_149] as [Int64] { #expect(slot.look(at: now)) }
        #expect(self.limits == [.deadline])
        for now in [1_150, 1_151, 9_000] as [Int64] { #expect(slot.look(at: now)) }
        #expect(self.limits == [.deadline, .grace])
        #expect(self.overruns.values.map(\.call) == [call, call])
        #expect(self.overruns.values.map(\.duration) == [.nanoseconds(100), .nanoseconds(150)])
        #expect(slot.end() == .pastGrace)
    }

    @Test func `a call that ends between deadline and grace says so`() {
        let slot = self.makeSlot()
        slot.begin(at: 1_000)
        _ = slot.look(at: 1_120)
        #expect(slot.end() == .pastDeadline)
        _ = slot.look(at: 9_000)
        #expect(self.limits == [.deadline])
    }

    @Test func `nothing is reported of a call that ended in time`() {
        let slot = self.makeSlot()
        for start in stride(from: 1_000, to: 100_000, by: 100) as StrideTo<Int64> {
            let call = slot.begin(at: start)
            _ = slot.look(at: start + 99)
            slot.pause(call, at: start + 99)
            #expect(slot.end() == .inTime)
            _ = slot.look(at: start + 100)
        }
        #expect(self.limits == [])
    }

    @Test func `the time a call is paused does not count`() {
        let slot = self.makeSlot()
        let call = slot.begin(at: 1_000)
        slot.pause(call, at: 1_050)
        _ = slot.look(at: 5_000)
        // A second task of the same call pauses as well: they overlap.
        slot.pause(call, at: 5_000)
        slot.resume(call, at: 6_000)
        _ = slot.look(at: 6_500)
        slot.resume(call, at: 7_050)
        _ = slot.look(at: 7_099)
        #expect(self.limits == [])
        _ = slot.look(at: 7_100)
        #expect(self.limits == [.deadline])
        #expect(slot.end() == .pastDeadline)
    }

    @Test func `the pause of an earlier call holds up none of the later`() {
        let slot = self.makeSlot()
        let old = slot.begin(at: 1_000)
        slot.pause(old, at: 1_010)
        _ = slot.end()
        let new = slot.begin(at: 2_000)
        slot.resume(old, at: 2_050)
        slot.pause(old, at: 2_050)
        _ = slot.look(at: 2_100)
        #expect(self.limits == [.deadline])
        #expect(self.overruns.values.map(\.call) == [new])
        slot.resume(new, at: 2_110)
        #expect(slot.end() == .pastDeadline)
    }

    @Test func `a quiet slot is no reason to look`() {
        let slot = self.makeSlot()
        #expect(!slot.look(at: 1_000))
        slot.begin(at: 1_000)
        _ = slot.end()
        #expect(slot.look(at: 1_010), "a call ran since the last look")
        #expect(!slot.look(at: 1_020))
    }

    @Test func `the watcher reports an overrun by itself and cancels what it is told to`() async {
        let slow = Collector<CallSlot.Overrun>()
        let task = Task(executorPreference: self.executor.owner(named: "slow", priority: 4)) {
            while !Task.isCancelled { await Task.yield() }
        }
        let slot = self.executor.watchCalls(deadline: .milliseconds(40), grace: .seconds(60)) { overrun in
            slow.add(overrun)
            task.cancel()
        }
        let call = slot.begin()
        await task.value
        #expect(slot.end() == .pastDeadline)
        #expect(slow.values.map(\.call) == [call])
        #expect(slow.values[0].duration >= .milliseconds(40))
        self.executor.unwatch(slot)
        await self.executor.shutdown()
    }

    @Test func `the watcher leaves calls without a deadline alone`() async throws {
        let slot = self.executor.watchCalls(deadline: nil, grace: .zero) { [overruns] in overruns.add($0) }
        slot.begin()
        #expect(self.executor.snapshot.watcherWakeUps == 0)
        #expect(self.executor.snapshot.isWatcherParked)
        #expect(slot.end() == .inTime)
        self.executor.unwatch(slot)
    }

    @Test func `ten tasks register, call and unregister at once, and every overrun is told`() async {
        let executor = self.executor
        await withTaskGroup { group in
            for task in 0..<10 {
                let owner = executor.owner(named: "\(task)", priority: task)
                group.addTask(executorPreference: owner) {
                    for round in 0..<20 {
                        let told = Collector<CallSlot.Overrun>()
                        let slot = executor.watchCalls(deadline: .milliseconds(10), grace: .zero) { told.add($0) }
                        for _ in 0..<50 {
                            let call = slot.begin()
                            slot.pause(call)
                            slot.resume(call)
                            _ = slot.end()
                        }
                        if round == 10 {
                            slot.begin()
                            let start = told.values.count
                            #expect(await told.wait(for: start + 2).count == start + 2)
                            #expect(slot.end() == .pastGrace)
                        }
                        executor.unwatch(slot)
                    }
                }
            }
        }
        #expect(executor.calls.withLock { $0.slots.isEmpty })
        await executor.shutdown()
    }
}
