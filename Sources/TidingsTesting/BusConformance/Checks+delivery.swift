import Tidings

extension EventBusConformance {
    /// Guarantee 2: once per matching subscription.
    static let delivery: [Check] = [
        Check(2, "an event is delivered once however many patterns of a subscription match") { run in
            let filter = EventFilter(types: ["conformance.*", "*", "conformance.sample"])
            let seen = try run.record(filter)
            try await run.bus.publish(run.batch(0..<10))
            try await run.stop()
            try run.expectEqual(run.numbers(seen), Array(0..<10), "what the handler was handed")
        },

        Check(2, "an event reaches exactly the subscriptions whose filter matches") { run in
            let byType = try run.record(.type("conformance.a"), SubscriptionOptions(name: "by type"))
            let below = try run.record(.types("conformance.*"), SubscriptionOptions(name: "below"))
            let bySymbol = try run.record(EventFilter(symbols: ["two"]), SubscriptionOptions(name: "by symbol"))
            let bySource = try run.record(EventFilter(sources: ["other"]), SubscriptionOptions(name: "by source"))
            let both = try run.record(
                EventFilter(types: ["conformance.a"], symbols: ["TWO"]), SubscriptionOptions(name: "by both"))
            let tapped = Recorder<StandardEvent>()
            try run.bus.addTap(to: .type("conformance.b"), name: "tap") { tapped.add($0) }
            try await run.bus.publish(
                EventBatch([
                    run.event(0, "conformance.a"), run.event(1, "conformance.b", key: "TWO"),
                    run.event(2, "conformance.a", key: "TWO", source: "other"), run.event(3, "elsewhere"),
                ]))
            try await run.stop()
            try run.expectEqual(run.numbers(byType), [0, 2], "an exact type")
            try run.expectEqual(run.numbers(below), [0, 1, 2], "a pattern")
            try run.expectEqual(run.numbers(bySymbol), [1, 2], "a symbol")
            try run.expectEqual(run.numbers(bySource), [2], "a source")
            try run.expectEqual(run.numbers(both), [2], "a type and a symbol")
            try run.expectEqual(run.numbers(tapped), [1], "a tap")
        },

        Check(2, "every subscription gets every event") { run in
            var recorders: [Recorder<StandardEvent>] = []
            for number in 0..<10 {
                recorders.append(
                    try run.record(.types("conformance.*"), SubscriptionOptions(name: "recorder \(number)")))
            }
            for start in stride(from: 0, to: 100, by: 10) { try await run.bus.publish(run.batch(start..<start + 10)) }
            try await run.stop()
            for recorder in recorders {
                try run.expectEqual(run.numbers(recorder), Array(0..<100), "one of ten subscriptions")
            }
        },

        Check(2, "no event is delivered twice", where: { $0.delivery != .atLeastOnce }) { run in
            let seen = try run.record(.types("conformance.*"))
            for number in 0..<100 { try await run.bus.publish(run.event(number)) }
            try await run.stop()
            try run.expectEqual(seen.values.map(\.number), Array(0..<100), "what the handler was handed")
        },

        Check(2, "an event that was published already is a duplicate and is not delivered again") { run in
            let seen = try run.record(.types("conformance.*"))
            let event = run.event(0)
            guard case .accepted = try await run.bus.publish(event) else {
                throw ConformanceFailure("a new event was not accepted")
            }
            guard case .duplicate = try await run.bus.publish(event) else {
                throw ConformanceFailure("the same event was accepted again")
            }
            let report = try await run.bus.publish(EventBatch([run.event(1), event]))
            guard case .duplicate = report[1] else {
                throw ConformanceFailure("the same event was accepted again in a batch")
            }
            try await run.stop()
            try run.expectEqual(run.numbers(seen), [0, 1], "what the handler was handed")
        },
    ]
}
