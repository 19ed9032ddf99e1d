/// `Retry-After`: a number of seconds, or a date in any of the three forms of RFC 9110.
package enum RetryAfter {
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    /// Nobody waits longer; and so no arithmetic on it overflows.
    private static let longest: Int64 = 366 * 86_400

    /// How long to wait; `nil` for what cannot be read. A date that has passed is zero.
    package static func parse(_ text: String, now: Timestamp) -> Duration? {
        if text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: ".") }) {
            // Whole seconds by the book; some services give a fraction.
            guard let seconds = Double(text), seconds.isFinite else { return nil }
            return .milliseconds(Int64((min(seconds, Double(self.longest)) * 1000).rounded(.up)))
        }
        guard let second = self.date(text, now: now) else { return nil }
        let nowSecond = now.nanoseconds / 1_000_000_000
        return .seconds(min(max(second - nowSecond, 0), self.longest))
    }

    /// Seconds since 1970.
    private static func date(_ text: String, now: Timestamp) -> Int64? {
        guard text.utf8.count <= 64 else { return nil }
        var parts = text.lowercased().split { " ,-".contains($0) }
        guard parts.count >= 5 else { return nil }
        parts.removeFirst()
        if parts.last == "gmt" { parts.removeLast() }
        guard parts.count == 4 else { return nil }
        // `Nov 6 08:49:37 1994` of asctime, or `06 Nov 1994 08:49:37`.
        if self.months.contains(String(parts[0])) { parts = [parts[1], parts[0], parts[3], parts[2]] }
        guard let day = self.number(parts[0], in: 1...31),
            let month = self.months.firstIndex(of: String(parts[1])),
            var year = self.number(parts[2], in: 0...9999),
            let clock = self.clock(parts[3])
        else { return nil }
        if parts[2].utf8.count == 2 {
            // Two digits are never more than 50 years ahead.
            let thisYear = self.year(of: now)
            year += thisYear - thisYear % 100
            if year > thisYear + 50 { year -= 100 }
        }
        guard year >= 1970 else { return 0 }
        return Int64(CivilDate(year: year, month: month + 1, day: day).daysSince1970) * 86_400 + Int64(clock)
    }

    private static func clock(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let hour = self.number(parts[0], in: 0...23),
            let minute = self.number(parts[1], in: 0...59), let second = self.number(parts[2], in: 0...60)
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    private static func number(_ text: Substring, in range: ClosedRange<Int>) -> Int? {
        guard let number = Int(text), range.contains(number) else { return nil }
        return number
    }

    private static func year(of moment: Timestamp) -> Int {
        CivilDate(daysSince1970: Int(moment.nanoseconds / 86_400_000_000_000)).year
    }
}
