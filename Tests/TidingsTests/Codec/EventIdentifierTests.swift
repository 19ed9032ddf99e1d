import Testing
import Tidings

/// `event_id`, `correlation_id` and `parent_event_id` of the contract.
@Suite struct EventIdentifierTests {
    static let keys = ["event_id", "correlation_id", "parent_event_id"]

    func identifier(_ key: String, of event: StandardEvent) -> EventID? {
        switch key {
        case "event_id": event.eventID
        case "correlation_id": event.correlationID
        default: event.parentEventID
        }
    }

    @Test(
        arguments: keys,
        [
            "a", "018d0a5e-7c00-7000-8000-000000000001", "018D0A5E-7C00-7000-8000-000000000001", "evt_1", "日本", " ",
            "{018d0a5e-7c00-7000-8000-000000000001}", "018d0a5e7c0070008000000000000001",
            "018d0a5e-7c00-7000-8000-00000000000g", "018d0a5e-7c00-7000-8000-0000000000010",
        ])
    func `any short text is an identifier and comes out as it went in`(key: String, text: String) throws {
        let event = try Reading.event(with: "\"\(key)\":\"\(text)\"")
        #expect(self.identifier(key, of: event)?.description == text)
        #expect(event.json.contains("\"\(key)\":\"\(text)\""))
    }

    @Test(arguments: keys)
    func `an identifier may have 128 bytes and not 129`(key: String) throws {
        let longest = String(repeating: "x", count: 128)
        let event = try Reading.event(with: "\"\(key)\":\"\(longest)\"")
        #expect(self.identifier(key, of: event)?.description == longest)
        let refusal = try #require(Reading.refusal(with: "\"\(key)\":\"\(longest)x\""))
        #expect(refusal.code.rawValue == "invalid_" + key)
        #expect(refusal.field == key)
        #expect(refusal.message == "must have 1...128 bytes, had 129")
    }

    @Test(arguments: keys)
    func `the length of an identifier is counted in bytes of its text, not in characters or escapes`(
        key: String
    ) throws {
        #expect(Reading.refusal(with: "\"\(key)\":\"\(String(repeating: "é", count: 64))\"") == nil)
        #expect(Reading.refusal(with: "\"\(key)\":\"\(String(repeating: "é", count: 65))\"") != nil)
        #expect(Reading.refusal(with: "\"\(key)\":\"\(String(repeating: "\\u0041", count: 128))\"") == nil)
        #expect(Reading.refusal(with: "\"\(key)\":\"\(String(repeating: "\\u0041", count: 129))\"") != nil)
    }

    @Test(arguments: keys)
    func `an empty identifier is refused`(key: String) {
        #expect(Reading.refusal(with: "\"\(key)\":\"\"")?.message == "must have 1...128 bytes, had 0")
    }

    @Test(arguments: keys, ["1", "true", "[]", "{}", "1.5", "[\"a\"]"])
    func `an identifier that is no text is refused`(key: String, value: String) {
        let refusal = Reading.refusal(with: "\"\(key)\":\(value)")
        #expect(refusal?.field == key)
        #expect(refusal?.message == "must be a string")
    }

    @Test func `escapes in an identifier are resolved and written again where they have to be`() throws {
        let event = try Reading.event(with: #""event_id":"a\u0062\n\"\/\ud83d\ude00""#)
        #expect(event.eventID == EventID("ab\n\"/😀"))
        #expect(event.json.contains(#""event_id":"ab\n\"/😀""#))
    }

    @Test func `an event without an identifier gets a UUIDv7 and is its own correlation`() throws {
        let event = try Reading.event(#"{"event_type":"t"}"#)
        let uuid = try #require(event.eventID.uuid)
        #expect(uuid.high >> 12 & 0xF == 7)
        #expect(uuid.low >> 62 == 0b10)
        #expect(event.correlationID == event.eventID)
        #expect(event.parentEventID == nil)
        #expect(!event.json.contains("parent_event_id"))
    }

    @Test func `an event without a correlation takes its own given identifier`() throws {
        #expect(try Reading.event(with: #""event_id":"mine""#).correlationID == EventID("mine"))
    }

    @Test func `identifiers that only look alike are different ones`() {
        // One code point, and a letter with a combining accent.
        #expect(EventID("caf\u{E9}") != EventID("cafe\u{301}"))
        #expect(Set([EventID("caf\u{E9}"), EventID("cafe\u{301}")]).count == 2)
        #expect(EventID("018D0A5E-7C00-7000-8000-000000000001") != EventID("018d0a5e-7c00-7000-8000-000000000001"))
    }
}
