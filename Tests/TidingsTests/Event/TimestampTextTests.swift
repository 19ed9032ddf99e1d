import Foundation
import Testing
import Tidings

@Suite struct TimestampTextTests {
    /// What the C library makes of seconds since 1970.
    func calendar(_ seconds: Int) -> String {
        var seconds = time_t(seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
            + "T\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
    }

    @Test func `dates agree with the C library over the whole range`() throws {
        var random = SeededGenerator(seed: 30)
        for _ in 0..<20_000 {
            let nanoseconds = Int64(bitPattern: random.next())
            let seconds = Int((Double(nanoseconds) / 1e9).rounded(.down))
            let timestamp = try #require(Timestamp(seconds: Int64(seconds)))
            #expect(timestamp.description == self.calendar(seconds) + "Z")
            #expect(Timestamp(timestamp.description) == timestamp)
        }
    }

    @Test func `every day of four centuries follows the one before`() throws {
        var date = CivilDate(year: 1678, month: 1, day: 1)
        let first = date.daysSince1970
        for day in first...(first + 146_097 + 60_000) {
            #expect(date == CivilDate(daysSince1970: day))
            #expect(date.daysSince1970 == day)
            #expect(date.isValid)
            var next = CivilDate(year: date.year, month: date.month, day: date.day + 1)
            if !next.isValid { next = CivilDate(year: date.year, month: date.month + 1, day: 1) }
            if !next.isValid { next = CivilDate(year: date.year + 1, month: 1, day: 1) }
            date = next
        }
    }

    @Test func `any moment survives as text, in each precision`() throws {
        var random = SeededGenerator(seed: 31)
        for _ in 0..<5000 {
            let timestamp = RandomEvents.timestamp(&random)
            let read = try #require(Timestamp(timestamp.description))
            #expect(read == timestamp)
            #expect(read.precision == timestamp.precision)
        }
    }

    @Test func `the ends of the range survive as text`() {
        for nanoseconds in [Int64.min, .min + 1, -1, 0, 1, .max - 1, .max] {
            let timestamp = Timestamp(nanoseconds: nanoseconds)
            #expect(Timestamp(timestamp.description) == timestamp, "\(timestamp)")
        }
        #expect(Timestamp(nanoseconds: .min).description == "1677-09-21T00:12:43.145224192Z")
        #expect(Timestamp("1677-09-21T00:12:43.145224191Z") == nil)
        #expect(Timestamp("2262-04-11T23:47:16.854775808Z") == nil)
    }

    @Test func `an offset moves the moment the other way`() throws {
        var random = SeededGenerator(seed: 32)
        for _ in 0..<2000 {
            let seconds = random.below(4_000_000_000)
            let minutes = random.below(24 * 60)
            let sign = random.chance(50) ? 1 : -1
            func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
            let text =
                self.calendar(seconds) + (sign > 0 ? "+" : "-") + padded(minutes / 60) + ":" + padded(minutes % 60)
            #expect(Timestamp(text) == Timestamp(seconds: Int64(seconds - sign * minutes * 60)), "\(text)")
        }
    }
}
