import Tidings

extension EventBusConformance {
    /// Guarantee 3: every queue is bounded, and says what happens at its bound.
    static let bounds: [Check] = [
        Check(3, "publishers wait for room in a subscription that asks them to, and nothing is lost") { run in
            let seen = Recorder<StandardEvent>()
            try run.bus.addHandler(
                to: .type("conformance.sample"),
                options: SubscriptionOptions(name: "tight", capacity: 2, overflow: .wait)
            ) { event in
                await Task.yield()
                seen.add(event)
            }
            try await run.bounded("publishing into a full subscription that is being emptied") {
                for number in 0..<100 { try await run.bus.publish(run.event(number)) }
            }
            let numbers = try await run.numbers(seen, count: 100, "events for a handler with little room")
            try run.expectEqual(numbers, Array(0..<100), "what the handler was handed")
        },

        Check(3, "tryPublish delivers to all subscriptions or says full and delivers to none") { run in
            let roomy = try run.record(.type("conformance.sample"), SubscriptionOptions(name: "roomy"))
            let (seen, started, held) = (Recorder<StandardEvent>(), Recorder<Void>(), Latch())
            defer { held.open() }
            try run.bus.addHandler(
                to: .type("conformance.sample"), options: SubscriptionOptions(name: "tight", capacity: 2, deadline: nil)
            ) { event in
                started.add(())
                try await held.pass()
                seen.add(event)
            }
            try run.bus.tryPublish(run.event(0))
            try await started.wait(for: 1, within: run.patience, "the first call of a handler")
            try run.bus.tryPublish(run.batch(1..<3))
            let error = try await run.error("publishing to a subscription without room") {
                try run.bus.tryPublish(run.event(3))
            }
            try run.expectEqual(error.code, .full, "the error's code")
            held.open()
            try await run.numbers(seen, count: 3, "events for a handler that was held")
            try await run.stop()
            try run.expectEqual(run.numbers(seen), [0, 1, 2], "what the tight subscription got")
            try run.expectEqual(run.numbers(roomy), [0, 1, 2], "what the other subscription got")
            try run.expect(run.bus.statistics.refused >= 1, "the refused event was not counted")
        },

        Check(3, "dropOldest keeps the newest events and tells of the gap") { run in
            let batches = try run.bus.batches(
                matching: .type("conformance.sample"),
                options: SubscriptionOptions(name: "newest", capacity: 10, overflow: .dropOldest))
            for number in 0..<100 { try await run.bus.publish(run.event(number)) }
            try await run.stop()
            let (numbers, dropped) = await Self.draw(batches, run)
            try run.expectEqual(numbers, Array(90..<100), "what was kept")
            try run.expectEqual(dropped, 90, "the gap")
            try run.expectEqual(batches.subscription.statistics.dropped, 90, "the subscription's counter")
        },

        Check(3, "dropNewest keeps the oldest events and tells of the gap") { run in
            let batches = try run.bus.batches(
                matching: .type("conformance.sample"),
                options: SubscriptionOptions(name: "oldest", capacity: 10, overflow: .dropNewest))
            for number in 0..<100 { try await run.bus.publish(run.event(number)) }
            try await run.stop()
            let (numbers, dropped) = await Self.draw(batches, run)
            try run.expectEqual(numbers, Array(0..<10), "what was kept")
            try run.expectEqual(dropped, 90, "the gap")
            try run.expectEqual(batches.subscription.statistics.dropped, 90, "the subscription's counter")
        },

        Check(3, "conflate keeps the newest event of each key, which is no loss") { run in
            let batches = try run.bus.batches(
                matching: .type("conformance.sample"),
                options: SubscriptionOptions(name: "conflating", capacity: 10, overflow: .conflate(by: .symbol)))
            for number in 0..<100 {
                try await run.bus.publish(run.event(number, key: ["ONE", "TWO", "THREE"][number % 3]))
            }
            try await run.stop()
            let (numbers, dropped) = await Self.draw(batches, run)
            try run.expectEqual(numbers, [97, 98, 99], "what was kept")
            try run.expectEqual(dropped, 0, "the gap")
            try run.expectEqual(batches.subscription.statistics.conflated, 97, "the subscription's counter")
        },

        Check(3, "a stuck subscription that drops delays no other and no publisher") { run in
            let (held, started) = (Latch(), Recorder<Void>())
            defer { held.open() }
            try run.bus.addHandler(
                to: .type("conformance.sample"),
                options: SubscriptionOptions(name: "stuck", capacity: 4, overflow: .dropOldest, deadline: nil)
            ) { _ in
                started.add(())
                try await held.pass()
            }
            let seen = try run.record(.type("conformance.sample"))
            try await run.bounded("publishing beside a stuck subscription") {
                for number in 0..<200 { try await run.bus.publish(run.event(number)) }
            }
            let numbers = try await run.numbers(seen, count: 200, "events for a handler beside a stuck one")
            try run.expectEqual(numbers, Array(0..<200), "what the other handler was handed")
        },

        Check(3, "only publishers of what a full subscription wants wait for it") { run in
            let (held, started) = (Latch(), Recorder<Void>())
            defer { held.open() }
            try run.bus.addHandler(
                to: .type("conformance.a"), options: SubscriptionOptions(name: "tight", capacity: 1, deadline: nil)
            ) { _ in
                started.add(())
                try await held.pass()
            }
            try run.bus.tryPublish(run.event(0, "conformance.a"))
            try await started.wait(for: 1, within: run.patience, "the first call of a handler")
            try run.bus.tryPublish(run.event(1, "conformance.a"))
            let waiting = Task { try await run.bus.publish(run.event(2, "conformance.a")) }
            defer { waiting.cancel() }
            let seen = try run.record(.type("conformance.b"))
            try await run.bounded("publishing what a full subscription does not want") {
                for number in 0..<50 { try await run.bus.publish(run.event(number, "conformance.b")) }
            }
            try await run.numbers(seen, count: 50, "events for another subscription")
            held.open()
            _ = try await waiting.value
        },
    ]

    /// Everything that still waits in a subscription of a bus that has stopped.
    private static func draw(_ batches: EventBatches, _ run: ConformanceRun) async -> (numbers: [Int], dropped: UInt64)
    {
        var events: [StandardEvent] = []
        var dropped: UInt64 = 0
        for await element in batches {
            events += Array(element.events)
            dropped += element.dropped
        }
        return (run.distinct(events).map(\.number), dropped)
    }
}
