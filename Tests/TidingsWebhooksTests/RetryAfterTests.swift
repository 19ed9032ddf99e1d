import Testing
import Tidings

@testable import TidingsWebhooks

@Suite struct RetryAfterTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT
    private static let second: Int64 = 784_111_777

    private static func parse(_ text: String, after offset: Int64 = 0) throws -> Duration? {
        RetryAfter.parse(text, now: try #require(Timestamp(seconds: Self.second + offset)))
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
    func `the three forms of an HTTP date are read`(text: String) throws {
        #expect(try Self.parse(text) == .zero)
        #expect(try Self.parse(text, after: -90) == .seconds(90))
        #expect(try Self.parse(text, after: 90) == .zero)
    }

    @Test func `seconds are read, with a fraction too`() throws {
        #expect(try Self.parse("0") == .zero)
        #expect(try Self.parse("120") == .seconds(120))
        #expect(try Self.parse("0.351") == .milliseconds(351))
        #expect(try Self.parse("99999999999999999999999") == .seconds(366 * 86_400))
    }

    @Test(arguments: [
        "", "soon", "-1", "1e3", "0x10", "1.2.3", ".", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 99 Nov 1994 08:49:37 GMT",
        ", , , , ,", "Sun Nov 6 08:49:37", "Sun, 06 Nov 99999 08:49:37 GMT", "Sun, 06 Nov 1994 8:4:-1 GMT",
    ])
    func `anything else is passed over`(text: String) throws {
        #expect(try Self.parse(text) == nil)
    }

    @Test func `no text brings it down`() throws {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("0123456789 ,:-.GMTSunNov\u{0}é")
        for _ in 0..<5000 {
            let text = String(
                (0..<Int.random(in: 0...40, using: &generator)).map { _ in alphabet.randomElement() ?? " " })
            if let wait = try Self.parse(text) { #expect(wait >= .zero && wait <= .seconds(366 * 86_400)) }
        }
    }
}
