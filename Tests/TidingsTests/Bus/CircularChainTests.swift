import Testing
import TidingsTestSupport

@testable import Tidings

/// Legal recursion, circles, and chains that go through other programs.
@Suite(.timeLimit(.minutes(1))) struct CircularChainTests {
    private func category(_ path: String) -> StandardEvent {
        StandardEvent(eventType: "category.found", source: "test", payload: ["url": .string(path)])
    }

    private func publishing(
        _ bus: MemoryEventBus, _ name: String, on type: EventType, _ refusals: Collector<EventBusError>,
        _ next: @escaping @Sendable (StandardEvent) -> StandardEvent?
    ) throws {
        try bus.subscribe(to: type, options: SubscriptionOptions(name: name)) { event in
            guard let event = next(event) else { return }
            if case .refused(let error) = try await bus.publish(event) { refusals.add(error) }
        }
    }

    @Test func `categories, sub-categories and sub-sub-categories are walked to depth 30`() async throws {
        let bus = MemoryEventBus()
        let (seen, refusals) = (Collector<String>(), Collector<EventBusError>())
        try self.publishing(bus, "walker", on: "category.found", refusals) { event in
            let path = event.payload["url"]?.string ?? ""
            seen.add(path)
            let depth = path.split(separator: "/").count
            return depth < 30 ? self.category("\(path)/\(depth)") : nil
        }
        try await bus.publish(self.category("/0"))
        await bus.stop()
        #expect(seen.values.count == 30)
        #expect(refusals.values.isEmpty)
    }

    @Test func `a circle is refused and the whole chain is named, in order`() async throws {
        let bus = MemoryEventBus()
        let (refusals, errors) = (Collector<EventBusError>(), Collector<StandardEvent>())
        try bus.subscribe(to: .error) { errors.add($0) }
        try self.publishing(bus, "first", on: "a", refusals) { _ in .sample(0, type: "b") }
        try self.publishing(bus, "second", on: "b", refusals) { _ in .sample(0, type: "c") }
        try self.publishing(bus, "third", on: "c", refusals) { _ in .sample(0, type: "a") }
        try await bus.publish(.sample(0, type: "a"))
        let refusal = try #require(await refusals.wait(for: 1).first)
        #expect(refusal.code == .circular)
        #expect(refusal.message.contains("first (a) > second (b) > third (c) > first (a)"), "\(refusal.message)")
        let error = try #require(await errors.wait(for: 1).first)
        #expect(error.payload["error_code"] == "CIRCULAR")
        #expect(error.payload["message"]?.string == refusal.message)
        await bus.stop()
        #expect(refusals.values.count == 1)
    }

    @Test func `the same handler for the same type about something else is no circle`() async throws {
        let bus = MemoryEventBus()
        let (refusals, seen) = (Collector<EventBusError>(), Collector<String>())
        try self.publishing(bus, "walker", on: "category.found", refusals) { event in
            let path = event.payload["url"]?.string ?? ""
            seen.add(path)
            return ["/a": "/b", "/b": "/c", "/c": "/a"][path].map { self.category($0) }
        }
        try await bus.publish(self.category("/a"))
        await bus.stop()
        #expect(seen.values == ["/a", "/b", "/c"])
        #expect(refusals.values.count == 1)
    }

    @Test func `what a circle refuses reaches nobody, and the rest of its batch goes through`() async throws {
        let bus = MemoryEventBus()
        let (reports, taps) = (Collector<PublishReport>(), Collector<Int>())
        try bus.addTap(to: .types("a", "b")) { taps.add($0.number) }
        try bus.subscribe(to: "a", options: SubscriptionOptions(name: "loop")) { event in
            guard event.number == 0 else { return }
            reports.add(
                try await bus.publish(
                    EventBatch([
                        .sample(0, type: "a"), .sample(1, type: "a"), .sample(2, type: "b"),
                    ])))
        }
        try await bus.publish(.sample(0, type: "a"))
        let report = try #require(await reports.wait(for: 1).first)
        await bus.stop()
        #expect(report.acceptedCount == 2 && report.refusedCount == 1)
        guard case .refused(let error) = report[0] else {
            Issue.record("the first closes a circle")
            return
        }
        #expect(error.code == .circular)
        #expect(taps.values.sorted() == [0, 1, 2])
    }

    @Test func `synchronous listeners that call one another in a circle are cut`() async throws {
        let bus = MemoryEventBus()
        let emitter = EventEmitter(bus: bus)
        let calls = Locked(0)
        try emitter.on("a") { (_: StandardEvent) throws -> Void in
            calls.withLock { $0 += 1 }
            emitter.emit("b")
        }
        try emitter.on("b") { (_: StandardEvent) throws -> Void in emitter.emit("a") }
        emitter.emit("a")
        #expect(calls.withLock { $0 } < 100)
        #expect(emitter.refused >= 1)
        await bus.stop()
    }

    @Test func `taps that call themselves are cut before the stack ends`() async throws {
        let bus = MemoryEventBus()
        let calls = Locked(0)
        try bus.addTap(to: .type(.trade)) { _ in
            calls.withLock { $0 += 1 }
            try bus.tryPublish(.tradeSample())
        }
        try bus.tryPublish(.tradeSample())
        #expect(calls.withLock { $0 } <= 256)
        await bus.stop()
        #expect(bus.statistics.failed >= 1)
    }

    @Test func `causes survive JSON, so that a circle through another program is found`() async throws {
        let (here, there) = (MemoryEventBus(), MemoryEventBus())
        let (refusals, sent) = (Collector<EventBusError>(), Collector<[UInt8]>())
        try self.publishing(here, "mine", on: "a", refusals) { _ in .sample(0, type: "b") }
        try here.addTap(to: .type("b")) { event in
            var writer = JSONWriter()
            writer.write(event)
            sent.add(writer.withBytes { Array($0) })
        }
        // The other program answers b with a, and keeps the extra key.
        try self.publishing(there, "theirs", on: "b", refusals) { _ in .sample(0, type: "a") }
        let back = Collector<[UInt8]>()
        try there.addTap(to: .type("a")) { event in
            var writer = JSONWriter()
            writer.write(event)
            back.add(writer.withBytes { Array($0) })
        }
        try await here.publish(.sample(0, type: "a"))
        let first = try #require(await sent.wait(for: 1).first)
        #expect(String(decoding: first, as: UTF8.self).contains(#""causes":{"depth":1,"hashes":["#))
        try await there.publish(try Self.decoded(first))
        let second = try #require(await back.wait(for: 1).first)
        let received = try Self.decoded(second)
        // Handling it here would publish b, handled there, which publishes a ...: the second round is refused.
        let outcome = Collector<EventBusError.Code?>()
        try here.subscribe(to: "gateway", options: SubscriptionOptions(name: "gateway")) { _ in outcome.add(nil) }
        guard case .accepted = try await here.publish(received) else {
            Issue.record("an event from elsewhere is let in: what it leads to is not")
            return
        }
        await here.stop()
        await there.stop()
        let rounds = sent.values.count
        #expect(rounds <= 2, "the circle went round \(rounds) times")
        #expect(received.causes?.depth == 2)
    }

    private static func decoded(_ bytes: [UInt8]) throws -> StandardEvent {
        try bytes.withUnsafeBytes { bytes in
            try StandardEvent(json: bytes, defaults: EventDecodingDefaults(source: "test"))
        }
    }

    @Test func `a chain of depth 33 from elsewhere has no further consequences`() async throws {
        let bus = MemoryEventBus()
        let refusals = Collector<EventBusError>()
        try self.publishing(bus, "mine", on: "a", refusals) { _ in .sample(0, type: "b") }
        let json = #"{"event_type":"a","source":"x","payload":{},"causes":{"depth":32,"hashes":["9f86d081884c7d65"]}}"#
        try await bus.publish(try Self.decoded(Array(json.utf8)))
        let refusal = try #require(await refusals.wait(for: 1).first)
        #expect(refusal.code == .circular)
        await bus.stop()
    }

    @Test(arguments: [
        #"{"depth":-1,"hashes":[]}"#, #"{"depth":1e30,"hashes":[]}"#, #"{"depth":"x","hashes":7}"#, "[]", "null", "7",
        #"{"depth":9223372036854775807,"hashes":["zz",7,null,"ffffffffffffffffff"]}"#,
    ])
    func `nonsense in place of causes does no harm`(_ causes: String) async throws {
        let bus = MemoryEventBus()
        let json = #"{"event_type":"a","source":"x","payload":{},"causes":\#(causes)}"#
        let seen = Collector<Int>()
        try bus.subscribe(to: "a") { _ in
            _ = try await bus.publish(.sample(1, type: "b"))
            seen.add(1)
        }
        try await bus.publish(try Self.decoded(Array(json.utf8)))
        #expect(await seen.wait(for: 1) == [1])
        await bus.stop()
    }
}
