import Testing
import Tidings

@Suite struct EventExtraKeysTests {
    @Test func `extra keys are kept in their order, behind the known ones`() throws {
        let event = try Reading.event(#"{"z":1,"event_type":"t","a":{"b": [1, 2]},"source":"s","m":"x y"}"#)
        #expect(event.extra?.description == #"{"z":1,"a":{"b":[1,2]},"m":"x y"}"#)
        #expect(event.json.hasSuffix(#","priority":5,"z":1,"a":{"b":[1,2]},"m":"x y"}"#))
    }

    @Test func `an extra key that stands twice is kept twice`() throws {
        #expect(try Reading.event(with: #""a":1,"a":2"#).extra?.description == #"{"a":1,"a":2}"#)
    }

    @Test func `escapes in extra keys and their values stay as they are`() throws {
        let event = try Reading.event(with: #""\u00e9\/":"\u0041\ud800""#)
        #expect(event.extra?.description == #"{"\u00e9\/":"\u0041\ud800"}"#)
        #expect(event.extra?["é/"]?.string == "A\u{FFFD}")
    }

    @Test func `numbers in extra keys keep their digits`() throws {
        #expect(
            try Reading.event(with: #""n":[50000.00,1e-7,-0.0]"#).extra?.description == #"{"n":[50000.00,1e-7,-0.0]}"#)
    }

    @Test func `extra keys can be set and taken away`() throws {
        var event = try Reading.event(with: #""a":1"#)
        event.extra = event.extra?.setting("replay", to: ["id": "r", "offset": 7])
        #expect(event.json.hasSuffix(#""priority":5,"a":1,"replay":{"id":"r","offset":7}}"#))
        event.extra = [:]
        #expect(event.extra == nil)
        #expect(event.json.hasSuffix(#""priority":5}"#))
    }

    @Test func `marking an event processed keeps its extra keys`() throws {
        var event = try Reading.event(with: #""timestamp":0,"a":1"#)
        event.markProcessed(at: Timestamp("2024-01-15T10:30:00.123Z")!, after: .microseconds(1500))
        #expect(
            event.json.hasSuffix(
                #""priority":5,"processed_at":"2024-01-15T10:30:00.123Z","processing_time_ms":1.500,"a":1}"#))
    }
}
