import Testing
import Tidings

/// `event_type` and `source` of the contract.
@Suite struct EventTypeAndSourceTests {
    @Test(arguments: [
        "trade", "TRADE", "a", "0", "_", ".", "-", ":", "login.success", "a.b.c.d", "My-Type:v1_2", "..", "order_book",
        String(repeating: "a", count: 128),
    ])
    func `a type of allowed characters is kept as it is`(type: String) throws {
        let event = try Reading.event("{\"event_type\":\"\(type)\"}")
        #expect(event.eventType.rawValue == type)
        #expect(event.json.contains("\"event_type\":\"\(type)\""))
    }

    @Test(arguments: [
        "", "a b", "a/b", "é", "a\\u0000", "a\\n", "*", "login.*", "a,b", "日", " trade", "trade ", "a+b", "a@b", "a[b",
        String(repeating: "a", count: 129),
    ])
    func `a type with anything else is refused by name`(type: String) throws {
        let refusal = try #require(Reading.refusal(of: "{\"event_type\":\"\(type)\"}"))
        #expect(refusal.code.rawValue == "invalid_event_type")
        #expect(refusal.field == "event_type")
        #expect(refusal.message.hasPrefix("must be 1...128 of A-Z a-z 0-9 _ . - :, was \""))
    }

    @Test func `every single byte is judged by the alphabet`() {
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-:".utf8)
        for byte in UInt8(0)...127 {
            let text = String(UnicodeScalar(byte))
            #expect((EventType(text) != nil) == allowed.contains(byte), "byte \(byte)")
        }
    }

    @Test(arguments: ["{}", #"{"event_type":null}"#, #"{"source":"s","payload":{"event_type":"t"}}"#])
    func `an event without a type is refused`(json: String) {
        let refusal = Reading.refusal(of: json)
        #expect(refusal?.code == .missingField)
        #expect(refusal?.field == "event_type")
        #expect(refusal?.description == "event_type: is required")
    }

    @Test(arguments: ["1", "true", "[\"t\"]", "{}"])
    func `a type that is no text is refused`(value: String) {
        #expect(Reading.refusal(of: "{\"event_type\":\(value)}")?.description == "event_type: must be a string")
    }

    @Test func `a type may be spelt with escapes`() throws {
        #expect(try Reading.event(#"{"event_type":"tr\u0061de"}"#).eventType == .trade)
    }

    @Test(arguments: ["s", "my program", "日本", "a\"b", String(repeating: "s", count: 128)])
    func `a source is any text of 1 to 128 bytes`(source: String) throws {
        let event = try Reading.event(with: "\"source\":\(JSONValue.string(source))")
        #expect(event.source.description == source)
        #expect(event.json.contains("\"source\":\(JSONValue.string(source))"))
    }

    @Test(arguments: [
        (#""""#, "must have 1...128 bytes"), ("1", "must be a string"), ("false", "must be a string"),
        ("[]", "must be a string"), ("{}", "must be a string"),
        ("\"" + String(repeating: "s", count: 129) + "\"", "must have 1...128 bytes"),
    ])
    func `any other source is refused`(value: String, message: String) {
        let refusal = Reading.refusal(with: "\"source\":\(value)")
        #expect(refusal?.code.rawValue == "invalid_source")
        #expect(refusal?.message == message)
    }

    @Test func `an event without a source gets the one of the way it came`() throws {
        let event = try StandardEvent(json: #"{"event_type":"t"}"#, defaults: .init(source: "websocket"))
        #expect(event.source == "websocket")
    }
}
