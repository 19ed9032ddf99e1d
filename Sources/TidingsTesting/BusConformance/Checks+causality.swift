import Tidings

extension EventBusConformance {
    /// Guarantee 5: causality without effort.
    static let causality: [Check] = [
        Check(5, "an event without a cause is its own correlation and has no parent") { run in
            let seen = try run.record(.type("conformance.sample"))
            let event = run.event(0)
            try await run.bus.publish(event)
            let found = try await seen.wait(for: 1, within: run.patience, "an event").first
            try run.expectEqual(found?.eventID, event.eventID, "the identifier")
            try run.expectEqual(found?.correlationID, event.eventID, "the correlation")
            try run.expectEqual(found?.parentEventID, nil, "the parent")
        },

        Check(5, "what handlers publish inherits the correlation and names its parent, however deep") { run in
            let seen = Recorder<StandardEvent>()
            let bus = run.bus
            try bus.addHandler(to: .type("conformance.a"), options: SubscriptionOptions(name: "a")) { event in
                seen.add(event)
                try await bus.publish(run.event(1, "conformance.b"))
            }
            try bus.addHandler(to: .type("conformance.b"), options: SubscriptionOptions(name: "b")) { event in
                seen.add(event)
                await Task.yield()
                try bus.tryPublish(run.event(2, "conformance.c"))
            }
            try bus.addHandler(to: .type("conformance.c"), options: SubscriptionOptions(name: "c")) { seen.add($0) }
            let root = run.event(0, "conformance.a")
            try await bus.publish(root)
            try await run.numbers(seen, count: 3, "a chain of three events")
            let events = run.distinct(seen.values)
            try run.expectEqual(events.map(\.number), [0, 1, 2], "the chain")
            for event in events { try run.expectEqual(event.correlationID, root.eventID, "the correlation") }
            try run.expectEqual(events[1].parentEventID, events[0].eventID, "the parent of the second")
            try run.expectEqual(events[2].parentEventID, events[1].eventID, "the parent of the third")
        },

        Check(5, "what is published while a drawn event is being handled names that as its parent") { run in
            let seen = try run.record(.type("conformance.b"))
            let batches = try run.bus.batches(
                matching: .type("conformance.a"), options: SubscriptionOptions(name: "drawer"))
            let root = run.event(0, "conformance.a")
            try await run.bus.publish(root)
            let bus = run.bus
            try await run.bounded("drawing a batch") {
                for await element in batches {
                    for event in element.events {
                        try await event.publishing { _ = try await bus.publish(run.event(1, "conformance.b")) }
                    }
                    break
                }
            }
            let found = try await seen.wait(for: 1, within: run.patience, "a consequence").first
            try run.expectEqual(found?.parentEventID, root.eventID, "the parent")
            try run.expectEqual(found?.correlationID, root.eventID, "the correlation")
        },

        Check(5, "an event that names its own parent keeps it") { run in
            let seen = try run.record(.type("conformance.b"))
            let bus = run.bus
            let parent = EventID()
            try bus.addHandler(to: .type("conformance.a"), options: SubscriptionOptions(name: "a")) { _ in
                try await bus.publish(
                    StandardEvent(
                        eventType: "conformance.b", source: "conformance", payload: ["n": 1], parentEventID: parent))
            }
            try await bus.publish(run.event(0, "conformance.a"))
            let found = try await seen.wait(for: 1, within: run.patience, "a consequence").first
            try run.expectEqual(found?.parentEventID, parent, "the parent")
        },
    ]
}
