import Testing
import Tidings

@Suite struct StandardEventTests {
    @Test func `a new event has an identifier, is its own correlation and happened now`() {
        let before = Timestamp.now()
        let event = StandardEvent.create(eventType: .trade, source: "s", payload: ["symbol": "X"])
        #expect(event.eventID.uuid != nil)
        #expect(event.correlationID == event.eventID)
        #expect(event.parentEventID == nil)
        #expect(event.priority == .normal)
        #expect(event.symbol == "X")
        #expect(before <= event.timestamp && event.timestamp <= Timestamp.now())
        #expect(event.extra == nil && event.processedAt == nil && event.processingTimeMs == nil)
    }

    @Test func `what is given is kept`() throws {
        let parent = StandardEvent.create(eventType: .custom, source: "s", payload: [:])
        let moment = try #require(Timestamp("2024-01-15T10:30:00Z"))
        let child = StandardEvent.create(
            eventType: "a.b", source: "t", payload: ["n": 1], priority: 2, timestamp: moment,
            correlationID: parent.correlationID, parentEventID: parent.eventID)
        #expect(child.correlationID == parent.eventID)
        #expect(child.parentEventID == parent.eventID)
        #expect(child.timestamp == moment)
        #expect(child.priority == .high)
    }

    @Test func `processing is noted with its moment and its milliseconds`() throws {
        let moment = try #require(Timestamp("2024-01-15T10:30:00.250Z"))
        var event = StandardEvent.create(
            eventType: .custom, source: "s", payload: [:], timestamp: Timestamp("2024-01-15T10:30:00Z"))
        event.markProcessed(at: moment)
        #expect(event.processedAt == moment)
        #expect(event.processingTimeMs?.description == "250.000")
        event.markProcessed(at: moment, after: .nanoseconds(1_234_567))
        #expect(event.processingTimeMs?.description == "1.234")
        event.markProcessed(after: .zero)
        #expect(event.processingTimeMs == 0)
    }

    @Test func `a copy that is changed leaves the first one alone`() {
        let event = StandardEvent.create(eventType: .custom, source: "s", payload: [:])
        var copy = event
        copy.priority = 1
        copy.extra = ["a": 1]
        copy.markProcessed(after: .zero)
        #expect(event.priority == .normal && event.extra == nil && event.processedAt == nil)
        #expect(copy != event)
    }

    @Test func `each field takes part in equality`() throws {
        let event = StandardEvent.create(eventType: .custom, source: "s", payload: ["a": 1])
        let changes: [(inout StandardEvent) -> Void] = [
            { $0.eventID = EventID() }, { $0.eventType = .error }, { $0.timestamp = Timestamp(nanoseconds: 0) },
            { $0.source = "t" }, { $0.payload = ["a": 2] }, { $0.correlationID = EventID() },
            { $0.parentEventID = EventID() }, { $0.priority = 1 }, { $0.extra = ["x": nil] },
            { $0.markProcessed(after: .zero) },
        ]
        for change in changes {
            var other = event
            change(&other)
            #expect(other != event)
        }
        #expect(event == event)
    }

    @Test func `priorities are 1 to 10, the lower the more urgent`() {
        #expect(EventPriority.init(0) == nil && EventPriority.init(11) == nil && EventPriority.init(-1) == nil)
        #expect((1...10).compactMap { EventPriority($0) }.count == 10)
        #expect(EventPriority.critical < .high && .high < .normal && .normal < .low)
        #expect(EventPriority.init(3)?.description == "3")
    }
}
