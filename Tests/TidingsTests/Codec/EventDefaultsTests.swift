import Testing
import Tidings

/// `null`, absence, repetition and the order of keys.
@Suite struct EventDefaultsTests {
    @Test func `null means absent for each of the ten keys`() throws {
        let event = try Reading.event(
            #"{"event_id":null,"event_type":"t","timestamp":null,"source":null,"payload":null,"correlation_id":null,"#
                + #""parent_event_id":null,"priority":null,"processed_at":null,"processing_time_ms":null}"#)
        #expect(event.source == "test")
        #expect(event.payload == [:])
        #expect(event.correlationID == event.eventID)
        #expect(event.parentEventID == nil)
        #expect(event.priority == .normal)
        #expect(event.processedAt == nil)
        #expect(event.processingTimeMs == nil)
        #expect(event.extra == nil)
        #expect(!event.json.contains("null"))
    }

    @Test func `null is a value like any other in the payload and in extra keys`() throws {
        let event = try Reading.event(with: #""payload":{"priority":null,"a":[null]},"other":null"#)
        #expect(event.payload.description == #"{"priority":null,"a":[null]}"#)
        #expect(event.extra?.description == #"{"other":null}"#)
        #expect(event.json.hasSuffix(#","other":null}"#))
    }

    @Test func `keys are written in the order of the contract whatever order they came in`() throws {
        let event = try Reading.event(
            #"{"z":1,"processing_time_ms":1.50,"priority":"3","parent_event_id":"p","processed_at":0,"#
                + #""correlation_id":"c","payload":{"b":1,"a":2},"source":"s","timestamp":1,"a":[2, 3],"#
                + #""event_type":"t","event_id":"e"}"#)
        #expect(
            event.json
                == #"{"event_id":"e","event_type":"t","timestamp":"1970-01-01T00:00:01Z","source":"s","#
                + #""payload":{"b":1,"a":2},"correlation_id":"c","parent_event_id":"p","priority":3,"#
                + #""processed_at":"1970-01-01T00:00:00Z","processing_time_ms":1.50,"z":1,"a":[2,3]}"#)
    }

    @Test func `of a key that stands twice the last one counts`() throws {
        let event = try Reading.event(
            #"{"event_type":"a","event_type":"b","source":"x","source":"y","priority":1,"priority":null,"#
                + #""payload":{"a":1},"payload":{"b":2},"event_id":"1","event_id":"2","#
                + #""processing_time_ms":5,"processing_time_ms":null,"processed_at":1,"processed_at":null}"#)
        #expect(event.eventType == "b")
        #expect(event.source == "y")
        #expect(event.priority == .normal)
        #expect(event.payload.description == #"{"b":2}"#)
        #expect(event.eventID == EventID("2"))
        #expect(event.processingTimeMs == nil)
        #expect(event.processedAt == nil)
    }

    @Test func `a known key spelt with escapes is the known key`() throws {
        let event = try Reading.event(#"{"\u0065vent_type":"t","p\u0061yload":{"a":1},"\u0073ource":"s"}"#)
        #expect(event.eventType == "t")
        #expect(event.payload.description == #"{"a":1}"#)
        #expect(event.source == "s")
        #expect(event.extra == nil)
    }

    @Test func `a key that only starts like a known one is an extra key`() throws {
        let event = try Reading.event(with: #""Priority":1,"priority ":2,"prioritx":3,"event_idd":4,"":5"#)
        #expect(event.extra?.description == #"{"Priority":1,"priority ":2,"prioritx":3,"event_idd":4,"":5}"#)
        #expect(event.priority == .normal)
    }

    @Test(arguments: ["12.5", "0", "1e-7", "-1", "0.000"])
    func `a processing time is a number that keeps its digits`(value: String) throws {
        let event = try Reading.event(with: "\"processing_time_ms\":\(value)")
        #expect(event.processingTimeMs?.description == value)
        #expect(event.json.hasSuffix("\"processing_time_ms\":\(value)}"))
    }

    @Test(arguments: ["\"fast\"", "true", "[]", "{}"])
    func `a processing time that is no number is refused`(value: String) {
        #expect(
            Reading.refusal(with: "\"processing_time_ms\":\(value)")?.description
                == "processing_time_ms: must be a number")
    }

    @Test(arguments: ["null", "[]", "1", "\"trade\"", "true", "[{\"event_type\":\"t\"}]"])
    func `JSON that is no object is no event`(json: String) {
        #expect(Reading.refusal(of: json)?.code == .notAnObject)
        #expect(Reading.refusal(of: json)?.description == "an event must be a JSON object")
    }

    @Test(arguments: ["[]", "1", "\"{}\"", "true"])
    func `a payload that is no object is refused`(value: String) {
        let refusal = Reading.refusal(with: "\"payload\":\(value)")
        #expect(refusal?.code.rawValue == "invalid_payload")
        #expect(refusal?.description == "payload: must be an object")
    }

    @Test func `the first problem is told and broken JSON behind it goes first`() {
        #expect(Reading.refusal(of: #"{"event_type":1,"priority":11}"#)?.field == "event_type")
        #expect(Reading.refusal(of: #"{"priority":11"#)?.code == .invalidJSON)
    }
}
