import Testing
import Tidings

/// `priority` of the contract.
@Suite struct EventPriorityDecodingTests {
    @Test(arguments: 1...10)
    func `1 to 10 are accepted as a number and as its text`(value: Int) throws {
        #expect(try Reading.event(with: "\"priority\":\(value)").priority.rawValue == UInt8(value))
        let event = try Reading.event(with: "\"priority\":\"\(value)\"")
        #expect(event.priority.rawValue == UInt8(value))
        #expect(event.json.contains("\"priority\":\(value)"))
    }

    @Test(arguments: [("3.0", 3), ("1e0", 1), ("0.1e2", 10)])
    func `an integer may be written with a fraction or an exponent, as JSON has it`(
        value: String, priority: UInt8
    )
        throws
    {
        #expect(try Reading.event(with: "\"priority\":\(value)").priority.rawValue == priority)
    }

    @Test(
        arguments: [
            ("0", "0"), ("11", "11"), ("-1", "-1"), ("3.5", "3.5"), ("11.0", "11.0"), ("1e300", "1e300"),
            ("100000000000000000000", nil),
            ("\"0\"", "0"), ("\"11\"", "11"), ("\"3.0\"", "3.0"), ("\" 3\"", " 3"), ("\"three\"", "three"),
            ("\"\"", ""),
        ] as [(String, String?)])
    func `any other number is refused and shown`(value: String, shown: String?) throws {
        let refusal = try #require(Reading.refusal(with: "\"priority\":\(value)"))
        #expect(refusal.code.rawValue == "invalid_priority")
        #expect(refusal.description == "priority: must be 1...10, was \(shown ?? value)")
    }

    @Test(arguments: ["true", "false", "[3]", "{}"])
    func `what is no number is refused`(value: String) {
        #expect(Reading.refusal(with: "\"priority\":\(value)")?.description == "priority: must be an integer")
    }

    @Test func `an event without a priority has 5, and it is written`() throws {
        let event = try Reading.event(#"{"event_type":"t"}"#)
        #expect(event.priority == .normal)
        #expect(event.json.hasSuffix(#""priority":5}"#))
    }
}
