import Testing
import TidingsTestSupport

@testable import Tidings

@Suite(.timeLimit(.minutes(1))) struct EventEmitterTests {
    struct Failure: Error {}

    @Test func `a synchronous handler has run when emit returns`() throws {
        let emitter = EventEmitter(source: "books")
        let seen = Collector<String>()
        try emitter.on("extraction.complete") { event in seen.add(event.payload["title"]?.string ?? "") }
        emitter.emit("extraction.complete", ["title": "Tidings"])
        emitter.emit("extraction.error", ["title": "not this"])
        #expect(seen.values == ["Tidings"])
    }

    @Test func `an asynchronous handler really runs`() async throws {
        let emitter = EventEmitter()
        let seen = Collector<Int>()
        try emitter.on("login.*") { event in
            await Task.yield()
            seen.add(event.number)
        }
        emitter.emit(.loginStart, ["n": 1])
        emitter.emit(.loginSuccess, ["n": 2])
        #expect(await seen.wait(for: 2) == [1, 2])
    }

    @Test func `once calls its handler with one event only`() throws {
        let emitter = EventEmitter()
        let seen = Collector<Int>()
        try emitter.once("*") { event in seen.add(event.number) }
        emitter.emit(.custom, ["n": 1])
        emitter.emit(.custom, ["n": 2])
        #expect(seen.values == [1])
        #expect(!emitter.bus.isListening(to: .custom))
    }

    @Test func `once works for asynchronous handlers too`() async throws {
        let emitter = EventEmitter()
        let seen = Collector<Int>()
        try emitter.once("*") { event in
            await Task.yield()
            seen.add(event.number)
        }
        emitter.emit(.custom, ["n": 1])
        emitter.emit(.custom, ["n": 2])
        #expect(await seen.wait(for: 1) == [1])
        await emitter.bus.stop()
        #expect(seen.values == [1])
    }

    @Test func `off stops the calls`() throws {
        let emitter = EventEmitter()
        let seen = Collector<Int>()
        let subscription = try emitter.on("*") { event in seen.add(event.number) }
        emitter.emit(.custom, ["n": 1])
        emitter.off(subscription)
        emitter.emit(.custom, ["n": 2])
        #expect(seen.values == [1])
    }

    @Test func `a handler that throws stops neither the others nor the emitter`() throws {
        let emitter = EventEmitter()
        let seen = Collector<Int>()
        let bad = try emitter.on("*") { _ in throw Failure() }
        try emitter.on(EventTypePattern.exact(.custom)) { event in seen.add(event.number) }
        emitter.emit(.custom, ["n": 1])
        #expect(seen.values == [1])
        #expect(bad.statistics.failed >= 1)
    }

    @Test func `a handler that unsubscribes itself makes no other one miss the event`() throws {
        let emitter = EventEmitter()
        let seen = Collector<Int>()
        let own = Locked<Subscription?>(nil)
        let subscription = try emitter.on("*") { event in
            seen.add(event.number * 10)
            own.withLock { $0 }?.cancel()
        }
        own.withLock { $0 = subscription }
        try emitter.on("*") { event in seen.add(event.number) }
        emitter.emit(.custom, ["n": 1])
        emitter.emit(.custom, ["n": 2])
        #expect(seen.values == [10, 1, 2])
    }

    @Test func `a handler that emits does not deadlock, and its event knows its cause`() throws {
        let emitter = EventEmitter()
        let seen = Collector<StandardEvent>()
        try emitter.on("custom") { _ in emitter.emit(.priceAlert) }
        try emitter.on("*") { event in seen.add(event) }
        emitter.emit(.custom)
        let events = seen.values
        #expect(events.map(\.eventType) == [.priceAlert, .custom])
        #expect(events[0].parentEventID == events[1].eventID)
    }

    @Test func `emitting with nobody listening is safe`() async {
        let emitter = EventEmitter()
        #expect(emitter.emit(.custom, ["n": 1]))
        await emitter.bus.stop()
        #expect(emitter.emit(.custom, ["n": 1]))
        #expect(emitter.refused == 0)
    }
}
