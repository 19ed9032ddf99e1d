import Tidings

extension EventBusConformance {
    /// Guarantee 9: stopping drains, and a stopped bus says so.
    static let lifecycle: [Check] = [
        Check(9, "stopping handles everything that was accepted, and what handling it publishes") { run in
            let bus = run.bus
            let derived = try run.record(.type("conformance.b"), SubscriptionOptions(name: "derived"))
            try bus.addHandler(to: .type("conformance.a"), options: SubscriptionOptions(name: "deriver")) { event in
                await Task.yield()
                try await bus.publish(run.event(event.number, "conformance.b"))
            }
            for start in stride(from: 0, to: 100, by: 20) {
                try await bus.publish(run.batch(start..<start + 20, "conformance.a"))
            }
            try await run.stop()
            try run.expectEqual(run.numbers(derived), Array(0..<100), "what had been handled when stop() returned")
        },

        Check(9, "publishing after stop is an error, never a silent success") { run in
            let seen = try run.record(.types("conformance.*"))
            try await run.stop()
            let attempts: [(String, @Sendable () async throws -> Void)] = [
                ("publish of an event", { _ = try await run.bus.publish(run.event(0)) }),
                ("publish of a batch", { _ = try await run.bus.publish(run.batch(1..<3)) }),
                ("tryPublish of an event", { _ = try run.bus.tryPublish(run.event(3)) }),
                ("tryPublish of a batch", { _ = try run.bus.tryPublish(run.batch(4..<6)) }),
            ]
            for (name, attempt) in attempts {
                let error = try await run.error("\(name) after stop", attempt)
                try run.expectEqual(error.code, .stopped, "the code of \(name)")
            }
            try run.expectEqual(run.numbers(seen), [], "what was delivered after stop")
        },

        Check(9, "stopping twice, also at once, is stopping once") { run in
            let bus = run.bus
            let seen = try run.record(.types("conformance.*"))
            try await bus.publish(run.batch(0..<30))
            try await run.bounded("stop() from three tasks") {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 { group.addTask { await bus.stop() } }
                }
            }
            try run.expectEqual(run.numbers(seen), Array(0..<30), "what had been handled")
            try await run.stop()
        },

        Check(9, "whoever draws batches gets what was accepted before the stop, and then the end") { run in
            let batches = try run.bus.batches(
                matching: .type("conformance.sample"), options: SubscriptionOptions(name: "drawer"))
            try await run.bus.publish(run.batch(0..<50))
            try await run.stop()
            let seen = Recorder<StandardEvent>()
            try await run.bounded("drawing from a bus that has stopped") {
                for await element in batches { for event in element.events { seen.add(event) } }
            }
            try run.expectEqual(run.numbers(seen), Array(0..<50), "what was drawn")
        },

        Check(9, "publishers that wait for room are told when the bus stops") { run in
            let batches = try run.bus.batches(
                matching: .type("conformance.sample"), options: SubscriptionOptions(name: "unread", capacity: 1))
            try await run.bus.publish(run.event(0))
            let outcome = Recorder<EventBusError.Code?>()
            let waiting = Task {
                do throws(EventBusError) {
                    try await run.bus.publish(run.event(1))
                    outcome.add(nil)
                } catch {
                    outcome.add(error.code)
                }
            }
            defer { waiting.cancel() }
            try await run.stop()
            let codes = try await outcome.wait(
                for: 1, within: run.patience, "the end of a publisher that waits for room")
            try run.expectEqual(codes, [.stopped], "what the publisher was told")
            batches.subscription.cancel()
        },

        Check(9, "a bus that was stopped starts again with the handlers it had", where: \.restarts) { run in
            let (handled, tapped) = (try run.record(.types("conformance.*")), Recorder<StandardEvent>())
            try run.bus.addTap(to: .types("conformance.*"), name: "tap") { tapped.add($0) }
            for round in 0..<3 {
                try await run.bus.publish(run.event(round))
                try await run.numbers(handled, count: round + 1, "events in round \(round)")
                try await run.stop()
                try await run.restart()
            }
            try await run.bus.publish(run.event(3))
            try await run.numbers(handled, count: 4, "events after three restarts")
            try run.expectEqual(run.numbers(handled), [0, 1, 2, 3], "what the handler was handed")
            try run.expectEqual(run.numbers(tapped), [0, 1, 2, 3], "what the tap saw")
        },
    ]

    /// Guarantee 9: everything works from inside a handler.
    static let reentrancy: [Check] = [
        Check(9, "a handler may publish, subscribe and unsubscribe from inside") { run in
            let bus = run.bus
            let (log, own) = (Recorder<String>(), Locked<Subscription?>(nil))
            let done = Latch()
            defer { done.open() }
            let subscription = try bus.addHandler(
                to: .type("conformance.a"), options: SubscriptionOptions(name: "first", deadline: nil)
            ) { _ in
                log.add("first")
                own.withLock { $0 }?.cancel()
                try bus.addHandler(to: .type("conformance.a"), options: SubscriptionOptions(name: "second")) { _ in
                    log.add("second")
                }
                try await bus.publish(run.event(1, "conformance.b"))
                done.open()
            }
            own.withLock { $0 = subscription }
            let consequences = try run.record(.type("conformance.b"))
            try await bus.publish(run.event(0, "conformance.a"))
            try await run.bounded("a handler that subscribes, unsubscribes and publishes") { try await done.pass() }
            try await bus.publish(run.event(2, "conformance.a"))
            try await run.stop()
            try run.expectEqual(log.values, ["first", "second"], "the calls")
            try run.expectEqual(run.numbers(consequences), [1], "what the handler published")
        },

        Check(9, "a tap may publish, subscribe and unsubscribe from inside") { run in
            let bus = run.bus
            let (log, own) = (Recorder<String>(), Locked<Subscription?>(nil))
            let subscription = try bus.addTap(to: .type("conformance.a"), name: "first") { _ in
                log.add("first")
                own.withLock { $0 }?.cancel()
                try bus.addTap(to: .type("conformance.a"), name: "second") { _ in log.add("second") }
                try bus.tryPublish(run.event(1, "conformance.b"))
            }
            own.withLock { $0 = subscription }
            let consequences = try run.record(.type("conformance.b"))
            try bus.tryPublish(run.event(0, "conformance.a"))
            try bus.tryPublish(run.event(2, "conformance.a"))
            try await run.stop()
            try run.expectEqual(log.values, ["first", "second"], "the calls")
            try run.expectEqual(run.numbers(consequences), [1], "what the tap published")
        },

        Check(9, "what a tap publishes does not overtake its cause") { run in
            let bus = run.bus
            try bus.addTap(to: .type("conformance.a"), name: "tap") { event in
                try bus.tryPublish(run.event(event.number + 1, "conformance.b"))
            }
            let seen = try run.record(.types("conformance.*"))
            try bus.tryPublish(run.event(0, "conformance.a"))
            try bus.tryPublish(EventBatch(run.event(2, "conformance.a")))
            try await run.stop()
            try run.expectEqual(run.numbers(seen), [0, 1, 2, 3], "what the handler was handed")
        },

        Check(9, "a handler may stop the bus from inside") { run in
            let bus = run.bus
            let handled = Recorder<StandardEvent>()
            try bus.addHandler(to: .type("conformance.sample"), options: SubscriptionOptions(name: "stopper")) {
                event in
                if event.number == 0 { await bus.stop() }
                handled.add(event)
            }
            try await bus.publish(run.batch(0..<10))
            try await run.numbers(handled, count: 10, "events of a bus that is stopped from inside")
            try await run.stop()
            let error = try await run.error("publishing after stop") { try run.bus.tryPublish(run.event(99)) }
            try run.expectEqual(error.code, .stopped, "the error's code")
        },

        Check(9, "a cancelled subscription is handed nothing more") { run in
            let seen = Recorder<StandardEvent>()
            let subscription = try run.bus.addHandler(
                to: .types("conformance.*"), options: SubscriptionOptions(name: "leaving")
            ) { seen.add($0) }
            let other = try run.record(.types("conformance.*"))
            try await run.bus.publish(run.event(0))
            try await run.numbers(seen, count: 1, "an event")
            subscription.cancel()
            subscription.cancel()
            try await run.bus.publish(run.event(1))
            try await run.stop()
            try run.expectEqual(run.numbers(seen), [0], "what the cancelled handler was handed")
            try run.expectEqual(run.numbers(other), [0, 1], "what the other handler was handed")
        },
    ]
}
