import Logging
import Testing
import TidingsTestSupport

@testable import Tidings

/// Deadlines, grace, and handlers that block.
@Suite(.timeLimit(.minutes(2))) struct DeadlineTests {
    private func options(
        _ deadline: Duration, grace: Duration = .seconds(60), retry: RetryPolicy = .none
    ) -> SubscriptionOptions {
        SubscriptionOptions(name: "slow", deadline: deadline, grace: grace, retry: retry)
    }

    @Test func `a call past its deadline is cancelled, counted and told of, and the next event is handled`()
        async throws
    {
        let bus = MemoryEventBus()
        let (handled, errors) = (Collector<Int>(), Collector<StandardEvent>())
        try bus.subscribe(to: .error) { errors.add($0) }
        let subscription = try bus.subscribe(to: .trade, options: self.options(.milliseconds(20))) { event in
            if event.number == 0 { try await Task.sleep(for: .seconds(3600)) }
            #expect(!Task.isCancelled)
            handled.add(event.number)
        }
        try await bus.publish(EventBatch((0..<5).map { .sample($0, type: .trade) }))
        #expect(await handled.wait(for: 4) == [1, 2, 3, 4])
        let error = try #require(await errors.wait(for: 1).first)
        #expect(error.payload["error_code"] == "TIMEOUT")
        await bus.stop()
        #expect(subscription.statistics.failed == 1 && subscription.statistics.dead == 1)
        let letter = try #require(try await bus.deadLetters.letters(after: nil, limit: 1).first)
        #expect(letter.lastError.contains("deadline of 0.02 s"))
    }

    @Test
    func `a call that overruns deadline and grace makes a dead letter, and the subscription is stuck until it returns`()
        async throws
    {
        let bus = MemoryEventBus()
        let (handled, errors, gate) = (Collector<Int>(), Collector<StandardEvent>(), Gate())
        try bus.subscribe(to: .error) { errors.add($0) }
        let options = self.options(.milliseconds(20), grace: .milliseconds(20))
        let subscription = try bus.subscribe(to: .trade, options: options) { event in
            // Deaf to cancellation.
            if event.number == 0 { await gate.wait() }
            handled.add(event.number)
        }
        try await bus.publish(EventBatch((0..<3).map { .sample($0, type: .trade) }))
        #expect(await errors.wait(for: 1).first?.payload["error_code"] == "TIMEOUT")
        #expect(subscription.statistics.stuck == 1)
        #expect(try await bus.deadLetters.letters(after: nil, limit: 9).map(\.event.number) == [0])
        #expect(handled.values.isEmpty)
        gate.open()
        #expect(await handled.wait(for: 3) == [0, 1, 2])
        await bus.stop()
        #expect(subscription.statistics.stuck == 0)
        // Given up is given up: its late return is no delivery.
        #expect(subscription.statistics.delivered == 2)
        #expect(subscription.statistics.dead == 1)
    }

    @Test func `a bus with a stuck handler stops all the same, and gives up what waits behind it`() async throws {
        let bus = MemoryEventBus()
        let (errors, gate) = (Collector<StandardEvent>(), Gate())
        try bus.subscribe(to: .error) { errors.add($0) }
        let options = self.options(.milliseconds(20), grace: .milliseconds(20))
        let subscription = try bus.subscribe(to: .trade, options: options) { _ in await gate.wait() }
        try await bus.publish(EventBatch((0..<3).map { .sample($0, type: .trade) }))
        _ = await errors.wait(for: 1)
        await bus.stop()
        #expect(try await bus.deadLetters.letters(after: nil, limit: 9).map(\.event.number).sorted() == [0, 1, 2])
        #expect(subscription.statistics.dead == 3)
        gate.open()
    }

    @Test func `a bus that stopped with a stuck handler starts again and is as serial as before`() async throws {
        let bus = MemoryEventBus()
        let (errors, gate, returned) = (Collector<StandardEvent>(), Gate(), Gate())
        let (running, most, handled) = (Locked(0), Locked(0), Collector<Int>())
        try bus.subscribe(to: .error) { errors.add($0) }
        let options = self.options(.milliseconds(50), grace: .milliseconds(50))
        let subscription = try bus.subscribe(to: .trade, options: options) { event in
            if event.number == 0 {
                await gate.wait()
                returned.open()
                return
            }
            let now = running.withLock { running in
                running += 1
                return running
            }
            most.withLock { $0 = max($0, now) }
            for _ in 0..<5 { await Task.yield() }
            running.withLock { $0 -= 1 }
            handled.add(event.number)
        }
        try await bus.publish(.sample(0, type: .trade))
        _ = await errors.wait(for: 1)
        await bus.stop()
        bus.start()
        gate.open()
        await returned.wait()
        while subscription.statistics.stuck > 0 { await Task.yield() }
        for number in 1...300 { try await bus.publish(.sample(number, type: .trade)) }
        #expect(await handled.wait(for: 300) == Array(1...300))
        #expect(most.withLock { $0 } == 1)
        await bus.stop()
    }

    @Test func `a call past its deadline is tried again as its policy says`() async throws {
        let bus = MemoryEventBus()
        let calls = Collector<Bool>()
        let options = self.options(.milliseconds(20), retry: RetryPolicy(attempts: 3, firstDelay: .zero))
        let subscription = try bus.subscribe(to: .trade, options: options) { event in
            calls.add(Task.isCancelled)
            if event.number == 0, calls.values.count < 3 { try await Task.sleep(for: .seconds(3600)) }
        }
        try await bus.publish(EventBatch((0..<2).map { .sample($0, type: .trade) }))
        // Four calls, none of which begins cancelled.
        #expect(await calls.wait(for: 4) == [false, false, false, false])
        await bus.stop()
        #expect(subscription.statistics.delivered == 2)
        #expect(subscription.statistics.retried == 2)
    }

    @Test func `time spent waiting for a child event does not count`() async throws {
        let bus = MemoryEventBus()
        let (started, gate, ended) = (Gate(), Gate(), Gate())
        let parent = try bus.subscribe(to: .trade, options: self.options(.milliseconds(30))) { _ in
            try await bus.publishAndWait(.sample(1, type: .custom))
            ended.open()
        }
        try bus.subscribe(to: .custom, options: SubscriptionOptions(name: "child", deadline: nil)) { _ in
            started.open()
            await gate.wait()
        }
        // Another handler with the same deadline, begun later, shows that the time has passed.
        let watch = try bus.subscribe(to: .ticker, options: self.options(.milliseconds(60))) { _ in
            try await Task.sleep(for: .seconds(3600))
        }
        try await bus.publish(.sample(0, type: .trade))
        await started.wait()
        try await bus.publishAndWait(.sample(2, type: .ticker))
        #expect(watch.statistics.failed == 1)
        gate.open()
        await ended.wait()
        await bus.stop()
        #expect(parent.statistics.failed == 0 && parent.statistics.delivered == 1)
    }

    @Test func `time spent waiting for room does not count`() async throws {
        let bus = MemoryEventBus()
        let (started, gate, ended) = (Gate(), Gate(), Gate())
        let full = SubscriptionOptions(name: "full", capacity: 1, deadline: nil)
        try bus.subscribe(to: .custom, options: full) { _ in
            started.open()
            await gate.wait()
        }
        try bus.tryPublish(.sample(1, type: .custom))
        await started.wait()
        try bus.tryPublish(.sample(2, type: .custom))
        let parent = try bus.subscribe(to: .trade, options: self.options(.milliseconds(30))) { _ in
            try await bus.publish(.sample(3, type: .custom))
            ended.open()
        }
        let watch = try bus.subscribe(to: .ticker, options: self.options(.milliseconds(60))) { _ in
            try await Task.sleep(for: .seconds(3600))
        }
        try await bus.publish(.sample(0, type: .trade))
        try await bus.publishAndWait(.sample(4, type: .ticker))
        #expect(watch.statistics.failed == 1)
        gate.open()
        await ended.wait()
        await bus.stop()
        #expect(parent.statistics.failed == 0 && parent.statistics.delivered == 1)
    }

    @Test func `a handler without a deadline takes as long as it likes`() async throws {
        let bus = MemoryEventBus()
        let (ended, gate) = (Gate(), Gate())
        let patient = try bus.subscribe(to: .trade, options: SubscriptionOptions(name: "patient", deadline: nil)) { _ in
            await gate.wait()
            #expect(!Task.isCancelled)
            ended.open()
        }
        let watch = try bus.subscribe(to: .ticker, options: self.options(.milliseconds(30))) { _ in
            try await Task.sleep(for: .seconds(3600))
        }
        try await bus.publish(.sample(0, type: .trade))
        try await bus.publishAndWait(.sample(1, type: .ticker))
        #expect(watch.statistics.failed == 1)
        gate.open()
        await ended.wait()
        await bus.stop()
        #expect(patient.statistics.failed == 0)
    }

    @Test func `a handler that blocks its thread is named, and all others go on`() async throws {
        var configuration = HandlerExecutor.Configuration()
        configuration.blockedAfter = .milliseconds(50)
        let executor = HandlerExecutor(configuration)
        let bus = MemoryEventBus(
            log: nil, duplicateWindow: 1024, ingress: IngressChain(), logger: .init(label: "test"), executor: executor)
        let (errors, others) = (Collector<StandardEvent>(), Collector<Int>())
        let blocker = Blocker()
        try bus.subscribe(to: .error) { errors.add($0) }
        try bus.subscribe(to: .trade, options: SubscriptionOptions(name: "blocking", deadline: nil)) { _ in
            blocker.block()
        }
        try bus.subscribe(to: "*", options: SubscriptionOptions(name: "other")) {
            if $0.eventType == .trade { others.add($0.number) }
        }
        for number in 0..<20 { try await bus.publish(.sample(number, type: .trade)) }
        let error = try #require(await errors.wait(for: 1).first)
        #expect(error.payload["error_code"] == "BLOCKED")
        #expect(error.payload["message"]?.string?.contains("blocking") == true)
        #expect(error.payload["details"]?.object?["subscriber"] == "blocking")
        #expect(await others.wait(for: 20) == Array(0..<20))
        blocker.open()
        await bus.stop()
        await executor.shutdown()
    }

    @Test func `sixteen blocking handlers starve neither the seventeenth nor the log`() async throws {
        let executor = HandlerExecutor()
        let log = MemoryEventLog()
        let bus = MemoryEventBus(
            log: log, duplicateWindow: 1024, ingress: IngressChain(), logger: .init(label: "test"), executor: executor)
        let blockers = (0..<16).map { _ in Blocker() }
        for (number, blocker) in blockers.enumerated() {
            try bus.subscribe(to: .trade, options: SubscriptionOptions(name: "blocking \(number)", deadline: nil)) {
                event in
                if event.number == 0 { blocker.block() }
            }
        }
        let seen = Collector<Int>()
        try bus.subscribe(to: .trade) { seen.add($0.number) }
        for number in 0..<10 { try await bus.publish(.sample(number, type: .trade)) }
        #expect(await seen.wait(for: 10) == Array(0..<10))
        #expect(log.bounds.head == 10)
        for blocker in blockers { blocker.open() }
        await bus.stop()
        await executor.shutdown()
    }
}
