import Tidings

extension EventBusConformance {
    struct HandlerError: Error {}

    /// Guarantee 4: taps and handlers.
    static let subscribers: [Check] = [
        Check(4, "a tap is called before publishing returns") { run in
            let seen = Recorder<StandardEvent>()
            try run.bus.addTap(to: .type("conformance.sample"), name: "tap") { seen.add($0) }
            try run.bus.tryPublish(run.event(0))
            try run.expectEqual(run.numbers(seen), [0], "what the tap had seen after tryPublish of an event")
            try run.bus.tryPublish(run.batch(1..<5))
            try run.expectEqual(run.numbers(seen), Array(0..<5), "what the tap had seen after tryPublish of a batch")
            try await run.bus.publish(run.batch(5..<8))
            try run.expectEqual(run.numbers(seen), Array(0..<8), "what the tap had seen after publish")
        },

        Check(4, "a tap that throws stops nobody and is counted") { run in
            let failing = try run.bus.addTap(to: .type("conformance.sample"), name: "failing") { _ in
                throw HandlerError()
            }
            let tapped = Recorder<StandardEvent>()
            try run.bus.addTap(to: .type("conformance.sample"), name: "sound") { tapped.add($0) }
            let handled = try run.record(.type("conformance.sample"))
            try await run.bus.publish(run.batch(0..<5))
            try await run.stop()
            try run.expectEqual(run.numbers(tapped), Array(0..<5), "what the other tap saw")
            try run.expectEqual(run.numbers(handled), Array(0..<5), "what the handler was handed")
            try run.expectEqual(failing.statistics.failed, 5, "the counter of failures")
        },

        Check(4, "a handler that throws stops nobody, is counted and is called again with the next event") { run in
            let calls = Recorder<StandardEvent>()
            let subscription = try run.bus.addHandler(
                to: .type("conformance.sample"), options: SubscriptionOptions(name: "fragile")
            ) { event in
                calls.add(event)
                if event.number == 1 { throw HandlerError() }
            }
            let other = try run.record(.type("conformance.sample"), SubscriptionOptions(name: "sound"))
            try await run.bus.publish(run.batch(0..<4))
            try await run.stop()
            try run.expectEqual(run.numbers(calls), Array(0..<4), "what the failing handler was handed")
            try run.expectEqual(run.numbers(other), Array(0..<4), "what the other handler was handed")
            try run.expect(subscription.statistics.failed >= 1, "the failure was not counted")
            try run.expect(subscription.statistics.dead >= 1, "the event that was given up was not counted")
        },

        Check(4, "an error event of priority 1 tells of a handler that gave up") { run in
            let errors = try run.record(.type(.error), SubscriptionOptions(name: "errors"))
            try run.bus.addHandler(to: .type("conformance.sample"), options: SubscriptionOptions(name: "fragile")) {
                _ in
                throw HandlerError()
            }
            let event = run.event(0)
            try await run.bus.publish(event)
            let error = try await errors.wait(for: 1, within: run.patience, "error events").first
            try run.expectEqual(error?.payload["error_code"]?.string, "HANDLER", "the code")
            try run.expectEqual(
                error?.payload["details"]?.object?["subscriber"]?.string, "fragile", "the subscriber named")
            try run.expectEqual(error?.priority, .critical, "the priority")
            try run.expectEqual(error?.parentEventID, event.eventID, "the parent")
        },

        Check(4, "a failed call is made again as often as its policy says") { run in
            let calls = Recorder<StandardEvent>()
            let retry = RetryPolicy(attempts: 3, firstDelay: .zero)
            let subscription = try run.bus.addHandler(
                to: .type("conformance.sample"), options: SubscriptionOptions(name: "fragile", retry: retry)
            ) { event in
                calls.add(event)
                // The first event succeeds at last, the second never.
                if event.number == 1 || calls.values.count < 3 { throw HandlerError() }
            }
            try await run.bus.publish(run.batch(0..<2))
            let seen = try await calls.wait(for: 6, within: run.patience, "calls of a failing handler")
            try run.expectEqual(seen.map(\.number), [0, 0, 0, 1, 1, 1], "the calls")
            try await run.stop()
            try run.expectEqual(subscription.statistics.retried, 4, "the counter of further attempts")
            try run.expectEqual(subscription.statistics.dead, 1, "the counter of dead letters")
            try run.expectEqual(subscription.statistics.delivered, 1, "the counter of handled events")
        },

        Check(4, "a call past its deadline is cancelled and the next event is handled") { run in
            let (cancelled, handled) = (Recorder<Void>(), Recorder<StandardEvent>())
            let never = Latch()
            defer { never.open() }
            let options = SubscriptionOptions(name: "slow", deadline: .milliseconds(20), grace: .seconds(30))
            let subscription = try run.bus.addHandler(to: .type("conformance.sample"), options: options) { event in
                guard event.number == 0 else { return handled.add(event) }
                do {
                    try await never.pass()
                } catch {
                    cancelled.add(())
                    throw error
                }
            }
            try await run.bus.publish(run.batch(0..<2))
            try await cancelled.wait(for: 1, within: run.patience, "the cancellation of a call past its deadline")
            try await run.numbers(handled, count: 1, "events after a call that was cancelled")
            try await run.stop()
            try run.expect(subscription.statistics.failed >= 1, "the overrun was not counted")
        },

        Check(4, "no more calls run at once than a handler asks for, and as many as that do") { run in
            let (now, most, all) = (Counter(), Counter(), Latch())
            defer { all.open() }
            let ended = Recorder<Void>()
            let options = SubscriptionOptions(name: "parallel", deadline: nil, concurrency: .parallel(3))
            try run.bus.addHandler(to: .type("conformance.sample"), options: options) { _ in
                let running = now.add(1)
                most.raise(to: running)
                if running == 3 { all.open() }
                try await all.pass()
                now.add(-1)
                ended.add(())
            }
            try await run.bus.publish(run.batch(0..<30))
            try await ended.wait(for: 30, within: run.patience, "calls of a handler of which three run at once")
            try run.expectEqual(most.value, 3, "the most calls at once")
        },

        Check(4, "a serial handler is never called twice at once") { run in
            let (now, most) = (Counter(), Counter())
            let ended = Recorder<Void>()
            try run.bus.addHandler(to: .type("conformance.sample"), options: SubscriptionOptions(name: "serial")) { _ in
                most.raise(to: now.add(1))
                await Task.yield()
                now.add(-1)
                ended.add(())
            }
            for number in 0..<100 { try await run.bus.publish(run.event(number)) }
            try await ended.wait(for: 100, within: run.patience, "calls of a serial handler")
            try run.expectEqual(most.value, 1, "the most calls at once")
        },

        Check(4, "a keyed handler is serial for each key and runs different keys at once") { run in
            let seen = Recorder<StandardEvent>()
            let (both, running) = (Latch(), Counter())
            let (ones, overlaps) = (Counter(), Counter())
            defer { both.open() }
            let options = SubscriptionOptions(name: "keyed", deadline: nil, concurrency: .keyed(4, by: .symbol))
            try run.bus.addHandler(to: .type("conformance.sample"), options: options) { event in
                let isOne = event.payload.symbol == "ONE"
                if isOne, ones.add(1) > 1 { overlaps.add(1) }
                // Passes only when events of both keys are being handled at the same time.
                if event.number < 2, running.add(1) == 2 { both.open() }
                try await both.pass()
                await Task.yield()
                if isOne { ones.add(-1) }
                seen.add(event)
            }
            try await run.bus.publish(
                EventBatch((0..<60).map { run.event($0, key: $0.isMultiple(of: 2) ? "ONE" : "TWO") }))
            let numbers = try await run.numbers(seen, count: 60, "events for a keyed handler")
            try run.expectEqual(overlaps.value, 0, "calls at once for the same key")
            for parity in 0..<2 {
                let own = numbers.filter { $0 % 2 == parity }
                try run.expectEqual(own, own.sorted(), "the order of one key")
            }
        },
    ]
}

/// A number that several threads change.
final class Counter: Sendable {
    private let state = Locked(0)

    var value: Int { self.state.withLock { $0 } }

    @discardableResult
    func add(_ amount: Int) -> Int {
        self.state.withLock { value in
            value += amount
            return value
        }
    }

    func raise(to least: Int) {
        self.state.withLock { $0 = max($0, least) }
    }
}
