import Tidings

extension EventBusConformance {
    /// Guarantee 1: order, and priorities.
    static let order: [Check] = [
        Check(1, "events of one publisher reach a handler in publish order") { run in
            let seen = try run.record(.type("conformance.sample"))
            var number = 0
            while number < 300 {
                if number % 3 == 0 {
                    try await run.bus.publish(run.batch(number..<number + 20))
                    number += 20
                } else {
                    try await run.bus.publish(run.event(number))
                    number += 1
                }
            }
            let numbers = try await run.numbers(seen, count: number, "events for a handler")
            try run.expectEqual(numbers, Array(0..<number), "what the handler was handed")
        },

        Check(1, "events of one publisher reach whoever draws batches in publish order") { run in
            let batches = try run.bus.batches(
                matching: .type("conformance.sample"), options: SubscriptionOptions(name: "drawer"))
            let seen = Recorder<StandardEvent>()
            let consumer = Task {
                for await element in batches { for event in element.events { seen.add(event) } }
            }
            defer { consumer.cancel() }
            for start in stride(from: 0, to: 300, by: 30) { try await run.bus.publish(run.batch(start..<start + 30)) }
            let numbers = try await run.numbers(seen, count: 300, "events for whoever draws batches")
            try run.expectEqual(numbers, Array(0..<300), "what was drawn")
        },

        Check(1, "events of one publisher keep their order across types", where: { $0.order == .perPublisher }) { run in
            let seen = try run.record(.types("conformance.*"))
            for number in 0..<200 {
                try await run.bus.publish(
                    run.event(number, number.isMultiple(of: 3) ? "conformance.a" : "conformance.b"))
            }
            let numbers = try await run.numbers(seen, count: 200, "events of two types")
            try run.expectEqual(numbers, Array(0..<200), "what the handler was handed")
        },

        Check(1, "events of one publisher keep their order within each type and symbol") { run in
            let seen = try run.record(.types("conformance.*"))
            for number in 0..<200 {
                let key = ["ONE", "TWO", "THREE"][number % 3]
                try await run.bus.publish(
                    run.event(number, number.isMultiple(of: 2) ? "conformance.a" : "conformance.b", key: key))
            }
            try await run.numbers(seen, count: 200, "events of several keys")
            let streams = Dictionary(grouping: run.distinct(seen.values)) {
                "\($0.eventType) \($0.payload.symbol?.description ?? "")"
            }
            for (name, events) in streams {
                let numbers = events.map(\.number)
                try run.expectEqual(numbers, numbers.sorted(), "the order of \(name)")
            }
        },

        Check(1, "several publishers at once each keep their order") { run in
            let seen = try run.record(.type("conformance.sample"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for publisher in 0..<5 {
                    group.addTask {
                        for number in 0..<60 { try await run.bus.publish(run.event(publisher * 1000 + number)) }
                    }
                }
                try await group.waitForAll()
            }
            let numbers = try await run.numbers(seen, count: 300, "events of five publishers")
            for publisher in 0..<5 {
                let own = numbers.filter { $0 / 1000 == publisher }
                try run.expectEqual(own, (0..<60).map { publisher * 1000 + $0 }, "publisher \(publisher)'s events")
            }
        },

        Check(1, "a waiting urgent event is next after the call in progress, and the rest keep their order") { run in
            let seen = Recorder<StandardEvent>()
            let (started, held) = (Recorder<Void>(), Latch())
            defer { held.open() }
            try run.bus.addHandler(
                to: .type("conformance.sample"), options: SubscriptionOptions(name: "recorder", deadline: nil)
            ) { event in
                if event.number == 0 {
                    started.add(())
                    try await held.pass()
                }
                seen.add(event)
            }
            try run.bus.tryPublish(run.batch(0..<20))
            try await started.wait(for: 1, within: run.patience, "the first call of a handler")
            // Whatever else is on its way has come when this is seen.
            let arrived = Recorder<Void>()
            try run.bus.addHandler(to: .type("conformance.sample"), options: SubscriptionOptions(name: "other")) {
                event in
                if event.number == 100 { arrived.add(()) }
            }
            try run.bus.tryPublish(run.event(100, priority: .critical))
            try await arrived.wait(for: 1, within: run.patience, "an urgent event")
            held.open()
            let numbers = try await run.numbers(seen, count: 21, "events for a handler that was held")
            try run.expectEqual(numbers, [0, 100] + Array(1..<20), "what the handler was handed")
        },
    ]
}
