import Tidings

extension EventBusConformance {
    /// Guarantee 6: no circular chains.
    static let circles: [Check] = [
        Check(6, "a circular chain is refused, and the report names everybody on the way") { run in
            let bus = run.bus
            let (calls, refusals) = (Counter(), Recorder<EventBusError>())
            try bus.addHandler(to: .type("conformance.ping"), options: SubscriptionOptions(name: "pinger")) { _ in
                // A bus that lets the circle go on is stopped here.
                guard calls.add(1) < 50 else { return refusals.add(EventBusError(.refused, "never refused")) }
                try await bus.publish(run.event(1, "conformance.pong"))
            }
            try bus.addHandler(to: .type("conformance.pong"), options: SubscriptionOptions(name: "ponger")) { _ in
                if case .refused(let error) = try await bus.publish(run.event(2, "conformance.ping")) {
                    refusals.add(error)
                }
            }
            try await bus.publish(run.event(0, "conformance.ping"))
            let refusal = try await refusals.wait(for: 1, within: run.patience, "refusals of a circular chain").first
            try run.expectEqual(refusal?.code, .circular, "the refusal's code")
            for word in ["pinger", "ponger", "conformance.ping", "conformance.pong"] {
                try run.expect(
                    refusal?.message.contains(word) == true,
                    "the report does not name \(word): \(refusal?.message ?? "")")
            }
            try run.expectEqual(calls.value, 1, "calls of the handler that began")
        },

        Check(6, "thirty events that follow from one another are no circle") { run in
            let (seen, results) = (Recorder<StandardEvent>(), Recorder<PublishResult>())
            let bus = run.bus
            // The same handler for each, as a tree of categories is walked: every event is about something else.
            try bus.addHandler(to: .type("conformance.sample"), options: SubscriptionOptions(name: "walker")) { event in
                seen.add(event)
                guard event.number < 30 else { return }
                results.add(
                    try await bus.publish(
                        run.event(event.number + 1, "conformance.sample", key: "KEY-\(event.number + 1)")))
            }
            try await bus.publish(run.event(0, key: "KEY-0"))
            let numbers = try await run.numbers(seen, count: 31, "a chain of thirty consequences")
            try run.expectEqual(numbers, Array(0...30), "the chain")
        },

        Check(6, "a chain of more than thirty-two consequences is refused") { run in
            let (calls, refusals) = (Counter(), Recorder<EventBusError>())
            let bus = run.bus
            try bus.addHandler(to: .type("conformance.sample"), options: SubscriptionOptions(name: "walker")) { event in
                guard calls.add(1) < 100 else { return refusals.add(EventBusError(.refused, "never refused")) }
                let next = run.event(event.number + 1, key: "KEY-\(event.number + 1)")
                if case .refused(let error) = try await bus.publish(next) { refusals.add(error) }
            }
            try await bus.publish(run.event(0, key: "KEY-0"))
            let refusal = try await refusals.wait(for: 1, within: run.patience, "the refusal of an endless chain").first
            try run.expectEqual(refusal?.code, .circular, "the refusal's code")
            try run.expectEqual(calls.value, 33, "events handled: the root and thirty-two consequences")
        },
    ]
}
