import Testing
import Tidings

@Suite struct EventNumberTests {
    static let numbers = [
        "0", "-0", "0.0", "-0.0", "0.10", "50000.00", "1e-7", "1E400", "-1e-400", "1E+2", "1e0", "123456789012345678",
        "1234567890123456789", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "12345678901234567890", "18446744073709551616", "123456789012345678901234567890", "0.000000000000000001",
        "0.0000000000000000001", "0.123456789012345678901234567890", "-12.50", "3.141592653589793238462643383279",
        "0e0", "1.0e1", "100000000000000000000000000000000000000000000000000",
        "0." + String(repeating: "0", count: 400) + "1", String(repeating: "9", count: 500),
    ]

    @Test(arguments: numbers)
    func `a number keeps its digits wherever it stands`(number: String) throws {
        let payload = #"{"n":NUMBER,"a":[NUMBER,{"x":NUMBER}]}"#.replacing("NUMBER", with: number)
        let event = try Reading.event(with: "\"payload\":\(payload),\"extra\":\(number)")
        #expect(event.payload.description == payload)
        #expect(event.json.contains("\"payload\":" + payload))
        #expect(event.json.hasSuffix("\"extra\":\(number)}"))
        #expect(event.payload["n"]?.number?.description == number)
        #expect(try Reading.event(event.json).json == event.json)
    }

    @Test(arguments: [
        "NaN", "Infinity", "-Infinity", "-NaN", "[NaN]", "{\"a\":Infinity}",
    ])
    func `NaN and infinities are refused, and the message says so`(value: String) throws {
        for member in ["\"payload\":{\"price\":\(value)}", "\"other\":\(value)", "\"priority\":\(value)"] {
            let refusal = try #require(Reading.refusal(with: member))
            #expect(refusal.code == .invalidJSON)
            #expect(refusal.message.hasPrefix("NaN and Infinity are not JSON numbers at byte"))
        }
    }

    @Test(arguments: ["nan", "inf", "+1", ".5", "1.", "01", "-", "0x10", "1e", "1e+", "--1", "1_000", "1,5", "٣"])
    func `what is no JSON number is refused`(value: String) {
        #expect(Reading.refusal(with: "\"payload\":{\"price\":\(value)}")?.code == .invalidJSON)
    }
}
