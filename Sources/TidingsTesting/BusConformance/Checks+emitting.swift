import Tidings

extension EventBusConformance {
    /// Guarantee 8: always safe to emit.
    static let emitting: [Check] = [
        Check(8, "publishing with nobody listening is accepted") { run in
            guard case .accepted = try run.bus.tryPublish(run.event(0)) else {
                throw ConformanceFailure("tryPublish did not accept an event that nobody listens to")
            }
            let report = try await run.bus.publish(run.batch(1..<10))
            try run.expectEqual(report.acceptedCount, 9, "accepted events")
        },

        Check(8, "an emitter emits whether or not anybody listens, and never throws") { run in
            let emitter = EventEmitter(source: "conformance", bus: run.bus)
            try run.expect(emitter.emit("conformance.sample", ["n": 0]), "emit said false with nobody listening")
            let seen = Recorder<StandardEvent>()
            try emitter.on("conformance.*") { (event: StandardEvent) throws -> Void in seen.add(event) }
            try run.expect(emitter.emit("conformance.sample", ["n": 1]), "emit said false with somebody listening")
            try run.expectEqual(run.numbers(seen), [1], "what the listener saw")
            try await run.stop()
            // With a log somebody always listens, and a stopped bus refuses: both are answers, not errors.
            _ = emitter.emit("conformance.sample", ["n": 2])
        },
    ]
}
