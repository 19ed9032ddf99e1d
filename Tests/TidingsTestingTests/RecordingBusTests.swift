import Testing
import Tidings
import TidingsTesting

@Suite(.timeLimit(.minutes(1))) struct RecordingBusTests {
    @Test func `it remembers what a producer published, though nobody listens`() async throws {
        let bus = RecordingBus()
        let emitter = EventEmitter(source: "books", bus: bus)
        emitter.emit("extraction.start", ["item": "a"])
        emitter.emit("selector.found")
        emitter.emit("extraction.complete", ["item": "a"])
        #expect(bus.events.map(\.eventType) == ["extraction.start", "selector.found", "extraction.complete"])
        #expect(bus.events(matching: "extraction.*").count == 2)
        #expect(bus.events.allSatisfy { $0.source == "books" })
        await bus.stop()
    }

    @Test func `it refuses what it is told to refuse`() async throws {
        let bus = RecordingBus()
        let emitter = EventEmitter(bus: bus)
        bus.refuse(with: EventBusError(.full, "no room"))
        #expect(!emitter.emit("a"))
        bus.refuse(with: nil)
        #expect(emitter.emit("b"))
        #expect(bus.events.map(\.eventType) == ["b"])
        #expect(bus.publications.map(\.result) == [.refused(EventBusError(.full, "no room")), .accepted(offset: nil)])
        await bus.stop()
    }

    @Test func `a test waits for what is published in the background, and not for ever`() async throws {
        let bus = RecordingBus()
        async let published = bus.publish(EventBatch([.error(code: "X", message: "m", source: "test")]))
        #expect(try await bus.waitForPublications(1).count == 1)
        _ = try await published
        await #expect(throws: ConformanceFailure.self) {
            try await bus.waitForPublications(2, within: .milliseconds(5))
        }
        await bus.stop()
    }
}
