import Testing
import Tidings

@Suite struct EventLimitTests {
    /// An event whose deepest container is the `depth`th, counting the event itself.
    func nested(_ depth: Int, open: String, close: String, in key: String = "payload") -> String {
        let inner = depth - (key == "payload" ? 2 : 1)
        let value = String(repeating: open, count: inner) + "1" + String(repeating: close, count: inner)
        return #"{"event_type":"t",""# + key + "\":" + (key == "payload" ? "{\"a\":\(value)}" : value) + "}"
    }

    @Test(arguments: [("[", "]"), (#"{"k":"#, "}")], ["payload", "other"])
    func `64 levels are accepted and 65 are not`(brackets: (String, String), key: String) throws {
        let event = try Reading.event(self.nested(64, open: brackets.0, close: brackets.1, in: key))
        #expect(try Reading.event(event.json) == event)
        let refusal = Reading.refusal(of: self.nested(65, open: brackets.0, close: brackets.1, in: key))
        #expect(refusal?.code == .invalidJSON)
        #expect(refusal?.message.hasPrefix("nested deeper than 64 at byte") == true)
    }

    @Test func `a hundred thousand brackets are refused, not followed`() {
        #expect(Reading.refusal(of: String(repeating: "[", count: 100_000))?.message.hasPrefix("nested deeper") == true)
        #expect(
            Reading.refusal(with: "\"a\":" + String(repeating: "{\"a\":", count: 100_000))?.message
                .hasPrefix("nested deeper") == true)
    }

    @Test func `an event of exactly 1 MiB is accepted and one of a byte more is not`() throws {
        let frame = #"{"event_type":"t","payload":{"x":""}}"#
        let room = (1 << 20) - frame.utf8.count
        func event(_ count: Int) -> String {
            #"{"event_type":"t","payload":{"x":""# + String(repeating: "a", count: count) + #""}}"#
        }
        #expect(try Reading.event(event(room)).payload["x"]?.string?.utf8.count == room)
        let refusal = try #require(Reading.refusal(of: event(room + 1)))
        #expect(refusal.code == .tooLarge)
        #expect(refusal.message == "the event has 1048577 bytes, the limit is 1048576")
    }

    @Test func `a lower limit is heeded`() {
        let defaults = EventDecodingDefaults(source: "s", maximumByteCount: 18)
        #expect(throws: Never.self) { try StandardEvent(json: #"{"event_type":"t"}"#, defaults: defaults) }
        #expect(throws: EventDecodingError.self) {
            try StandardEvent(json: #"{"event_type":"tt"}"#, defaults: defaults)
        }
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0xF0, 0x9F, 0x98],
        ] as [[UInt8]])
    func `bytes that are no UTF-8 are refused in keys and values, whatever stands around them`(bad: [UInt8]) throws {
        for padding in [0, 1, 5, 7, 8, 13] {
            let pad = [UInt8](repeating: UInt8(ascii: "p"), count: padding)
            let text = pad + bad + pad
            let prefix = Array(#"{"event_type":"t","payload":{""#.utf8)
            let inKey = prefix + text + Array(#"":1}}"#.utf8)
            let inValue = prefix + Array(#"a":""#.utf8) + text + Array(#""}}"#.utf8)
            for (bytes, start) in [(inKey, prefix.count), (inValue, prefix.count + 4)] {
                let refusal = try #require(Reading.refusal(ofBytes: bytes))
                #expect(refusal.code == .invalidJSON)
                #expect(refusal.message == "invalid UTF-8 at byte \(start + padding)")
            }
        }
    }

    @Test(
        arguments: [
            [0xC2, 0x80], [0xDF, 0xBF], [0xE0, 0xA0, 0x80], [0xED, 0x9F, 0xBF], [0xEE, 0x80, 0x80], [0xEF, 0xBF, 0xBF],
            [0xF0, 0x90, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF],
        ] as [[UInt8]])
    func `the first and last characters of each length are accepted`(good: [UInt8]) throws {
        let bytes = Array(#"{"event_type":"t","payload":{"a":""#.utf8) + good + Array(#""}}"#.utf8)
        #expect(try Reading.event(bytes: bytes).payload["a"]?.string.map { Array($0.utf8) } == good)
    }

    @Test(arguments: 0..<32)
    func `control characters have to be escaped`(byte: Int) throws {
        let raw = Array(#"{"event_type":"t","payload":{"a":"12345"#.utf8) + [UInt8(byte)] + Array(#"6789"}}"#.utf8)
        #expect(Reading.refusal(ofBytes: raw)?.message.hasPrefix("unescaped control character") == true)
        let escaped = "\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        let event = try Reading.event(with: "\"payload\":{\"a\":\"\(escaped)\"}")
        #expect(event.payload["a"]?.string?.utf8.first == UInt8(byte))
    }

    @Test func `empty and white input ends too early`() {
        #expect(Reading.refusal(of: "")?.message == "the JSON ends too early at byte 0")
        #expect(Reading.refusal(of: " \n")?.message == "the JSON ends too early at byte 2")
    }

    @Test func `a byte order mark and anything behind the event are refused`() {
        #expect(Reading.refusal(of: "\u{FEFF}{\"event_type\":\"t\"}")?.message == "unexpected byte 0xef at byte 0")
        #expect(Reading.refusal(of: #"{"event_type":"t"}{}"#)?.message == "something follows the JSON value at byte 18")
    }
}
