import Testing
import Tidings

@Suite struct TimestampTests {
    @Test func `moments are equal and ordered by the moment alone`() {
        #expect(Timestamp(seconds: 1) == Timestamp(milliseconds: 1000))
        #expect(Timestamp(seconds: 1)?.hashValue == Timestamp(milliseconds: 1000)?.hashValue)
        #expect(Timestamp(nanoseconds: 1) > Timestamp(nanoseconds: 0))
        #expect(Timestamp(nanoseconds: -1) < Timestamp(nanoseconds: 0))
    }

    @Test func `what does not fit is no moment`() {
        #expect(Timestamp(seconds: 9_223_372_036) != nil)
        #expect(Timestamp(seconds: 9_223_372_037) == nil)
        #expect(Timestamp(seconds: .min) == nil)
        #expect(Timestamp(milliseconds: 9_223_372_036_854) != nil)
        #expect(Timestamp(milliseconds: 9_223_372_036_855) == nil)
        #expect(Timestamp(milliseconds: .max) == nil)
    }

    @Test(arguments: [
        (Duration.zero, "2024-01-15T10:30:00Z"), (.seconds(-1), "2024-01-15T10:29:59Z"),
        (.milliseconds(5), "2024-01-15T10:30:00.005Z"), (.microseconds(5), "2024-01-15T10:30:00.000005Z"),
        (.nanoseconds(5), "2024-01-15T10:30:00.000000005Z"), (.milliseconds(-1), "2024-01-15T10:29:59.999Z"),
        (.seconds(86_400), "2024-01-16T10:30:00Z"),
    ])
    func `a moment that is moved is as precise as it has to be`(duration: Duration, text: String) throws {
        let moment = try #require(Timestamp("2024-01-15T10:30:00Z"))
        #expect(moment.advanced(by: duration).description == text)
    }

    @Test func `moving beyond the range stops at its ends`() {
        let moment = Timestamp(nanoseconds: 0)
        #expect(moment.advanced(by: .seconds(Int64.max)).nanoseconds == .max)
        #expect(moment.advanced(by: .seconds(Int64.min)).nanoseconds == .min)
        #expect(moment.advanced(by: .seconds(9_223_372_036) + .milliseconds(900)).nanoseconds == .max)
        #expect(moment.advanced(by: .seconds(-9_223_372_036) + .milliseconds(-900)).nanoseconds == .min)
        #expect(Timestamp(nanoseconds: .max).advanced(by: .nanoseconds(1)).nanoseconds == .max)
        #expect(Timestamp(nanoseconds: .min).advanced(by: .nanoseconds(-1)).nanoseconds == .min)
    }

    @Test func `the time between two moments is their difference`() throws {
        let earlier = try #require(Timestamp("2024-01-15T10:30:00.000000001Z"))
        let later = try #require(Timestamp("2024-01-15T10:30:01Z"))
        #expect(later.duration(since: earlier) == .nanoseconds(999_999_999))
        #expect(earlier.duration(since: later) == .nanoseconds(-999_999_999))
    }
}
