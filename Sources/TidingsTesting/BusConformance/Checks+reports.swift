import Tidings

extension EventBusConformance {
    /// Guarantee 10: publishing returns what happened.
    static let reports: [Check] = [
        Check(10, "a report has one result for each event, in their order") { run in
            let known = run.event(0)
            try await run.bus.publish(known)
            let report = try await run.bus.publish(EventBatch([run.event(1), known, run.event(2)]))
            try run.expectEqual(report.count, 3, "the report's count")
            try run.expectEqual(report.acceptedCount, 2, "accepted events")
            try run.expectEqual(report.duplicateCount, 1, "duplicates")
            let kinds = report.results.map { result in
                switch result {
                case .accepted: "accepted"
                case .duplicate: "duplicate"
                case .refused: "refused"
                }
            }
            try run.expectEqual(kinds, ["accepted", "duplicate", "accepted"], "the results")
        },

        Check(10, "publish answers with rising offsets", where: \.givesOffsets) { run in
            var offsets: [Int64] = []
            for number in 0..<3 {
                guard case .accepted(let offset?) = try await run.bus.publish(run.event(number)) else {
                    throw ConformanceFailure("event \(number) was not accepted with an offset")
                }
                offsets.append(offset)
            }
            let report = try await run.bus.publish(run.batch(3..<10))
            for result in report.results {
                guard case .accepted(let offset?) = result else {
                    throw ConformanceFailure("an event of a batch was not accepted with an offset: \(result)")
                }
                offsets.append(offset)
            }
            try run.expectEqual(offsets, Array(Set(offsets)).sorted(), "the offsets")
        },

        Check(10, "the counters say what was published, delivered and recognised as known") { run in
            let before = run.bus.statistics
            let seen = try run.record(.types("conformance.*"))
            let event = run.event(0)
            try await run.bus.publish(event)
            try await run.bus.publish(event)
            try await run.bus.publish(run.batch(1..<5))
            try await run.stop()
            let after = run.bus.statistics
            try run.expectEqual(run.numbers(seen).count, 5, "events handled")
            try run.expectEqual(after.published - before.published, 5, "published")
            try run.expect(after.delivered - before.delivered >= 5, "delivered: \(after.delivered - before.delivered)")
            try run.expectEqual(after.duplicates - before.duplicates, 1, "duplicates")
            try run.expectEqual(after.byType["conformance.sample"], 5, "published, of that type")
        },
    ]
}
