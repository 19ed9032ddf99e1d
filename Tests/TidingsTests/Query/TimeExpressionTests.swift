import Testing

@testable import Tidings

@Suite struct TimeExpressionTests {
    private static let now = Timestamp(nanoseconds: 1_705_312_800_000_000_000, precision: .seconds)

    @Test(arguments: [
        ("90s", "2024-01-15T09:58:30Z"), ("15m", "2024-01-15T09:45:00Z"), ("2h", "2024-01-15T08:00:00Z"),
        ("7d", "2024-01-08T10:00:00Z"), ("0s", "2024-01-15T10:00:00Z"), ("2024-01-01", "2024-01-01T00:00:00Z"),
        ("2024-01-01T02:00:00+02:00", "2024-01-01T00:00:00Z"),
    ])
    func `an age counts back from now, and a date stands for itself`(text: String, expected: String) {
        #expect(Timestamp(expression: text, relativeTo: Self.now) == Timestamp(expected))
    }

    @Test(arguments: ["", "s", "1x", "-5m", "+5m", "1.5h", "99999999999999d", "yesterday", "5 m"])
    func `anything else is no time`(text: String) {
        #expect(Timestamp(expression: text, relativeTo: Self.now) == nil)
    }
}
