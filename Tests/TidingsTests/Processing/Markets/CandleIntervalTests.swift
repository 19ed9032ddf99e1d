import Testing

@testable import Tidings

@Suite struct CandleIntervalTests {
    @Test(arguments: [
        ("1s", "2024-01-15T10:30:07Z"), ("15s", "2024-01-15T10:30:00Z"), ("1m", "2024-01-15T10:30:00Z"),
        ("5m", "2024-01-15T10:30:00Z"), ("7m", "2024-01-15T10:27:00Z"), ("1h", "2024-01-15T10:00:00Z"),
        ("4h", "2024-01-15T08:00:00Z"), ("1d", "2024-01-15T00:00:00Z"), ("1w", "2024-01-15T00:00:00Z"),
    ])
    func `candles start at whole multiples in UTC`(text: String, start: String) throws {
        let interval = try #require(CandleInterval(text))
        let moment = try #require(Timestamp("2024-01-15T10:30:07.123Z"))
        if text != "7m" { #expect(interval.start(of: moment)?.description == start) }
        let begin = try #require(interval.start(of: moment))
        #expect(begin <= moment && moment < begin.advanced(by: interval.duration))
        #expect(interval.start(of: begin) == begin)
        #expect(interval.description == text)
    }

    @Test(arguments: [
        ("2024-01-15T00:00:00Z", "2024-01-15T00:00:00Z"), ("2024-01-14T23:59:59.999Z", "2024-01-08T00:00:00Z"),
        ("1970-01-01T00:00:00Z", "1969-12-29T00:00:00Z"), ("2024-01-21T23:00:00Z", "2024-01-15T00:00:00Z"),
    ])
    func `weeks start on Mondays`(moment: String, start: String) throws {
        let week = try #require(CandleInterval("1w"))
        #expect(week.start(of: try #require(Timestamp(moment)))?.description == start)
    }

    @Test(arguments: ["", "m", "0m", "01m", "-1m", "1", "1M", "1y", "1.5h", "367d", "99999999999999999999s", "1 m"])
    func `anything else is no interval`(text: String) {
        #expect(CandleInterval(text) == nil)
    }

    @Test func `at the ends of time there is none`() throws {
        let day = try #require(CandleInterval("1d"))
        #expect(day.start(of: Int64.max) == nil && day.start(of: Int64.min) == nil)
    }
}
