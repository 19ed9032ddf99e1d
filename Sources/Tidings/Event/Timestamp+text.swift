/// A day of the proleptic Gregorian calendar. The conversions follow Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms" (2013).
package struct CivilDate: Equatable, Sendable {
    package var year: Int
    package var month: Int
    package var day: Int

    package init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    package init(daysSince1970 days: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        self.month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
    }

    @inline(__always)
    package var daysSince1970: Int {
        let year = self.month <= 2 ? self.year - 1 : self.year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (self.month > 2 ? self.month - 3 : self.month + 9) + 2) / 5 + self.day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The same for the years from 1 on, whose divisions need no care for signs.
    @inline(__always)
    var daysSince1970OfOurEra: Int {
        let isEarly = self.month <= 2
        let year = UInt32(truncatingIfNeeded: isEarly ? self.year &- 1 : self.year)
        let month = UInt32(truncatingIfNeeded: isEarly ? self.month &+ 9 : self.month &- 3)
        let days = year &* 365 &+ year / 4 &- year / 100 &+ year / 400 &+ (month &* 153 &+ 2) / 5
        return Int(days) &+ self.day &- 719_469
    }

    @inline(__always)
    package var isValid: Bool {
        guard (1...12).contains(self.month), self.day >= 1 else { return false }
        return self.day <= 28 || self.day <= self.daysInMonth
    }

    private var daysInMonth: Int {
        if self.month == 2 {
            return self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0) ? 29 : 28
        }
        // 31 in the odd months up to July and in the even ones from August on.
        return 30 + ((self.month ^ (self.month >> 3)) & 1)
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with `Z`, with as many fraction digits as the precision says.
    public var description: String {
        var writer = JSONWriter(capacity: 64)
        writer.write(unquoted: self)
        return writer.string()
    }

    /// Reads RFC 3339 (any offset, none meaning UTC, a space for the `T`, 1 to 9 fraction digits) or a bare date.
    public init?(_ text: String) {
        var text = text
        let parsed = text.withUTF8 { Timestamp(bytes: UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    package init?(bytes: UnsafeRawBufferPointer) {
        var cursor = DigitCursor(bytes: bytes)
        guard
            let year = cursor.number(width: 4), cursor.skip(UInt8(ascii: "-")),
            let month = cursor.number(width: 2), cursor.skip(UInt8(ascii: "-")),
            let day = cursor.number(width: 2)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard date.isValid else { return nil }
        var seconds = Int64(date.daysSince1970) * 86_400
        if cursor.isAtEnd {
            self.init(seconds: seconds)
            return
        }
        guard
            cursor.skip(UInt8(ascii: "T")) || cursor.skip(UInt8(ascii: "t")) || cursor.skip(UInt8(ascii: " ")),
            let hour = cursor.number(width: 2), hour < 24, cursor.skip(UInt8(ascii: ":")),
            let minute = cursor.number(width: 2), minute < 60
        else { return nil }
        var second = 0
        if cursor.skip(UInt8(ascii: ":")) {
            // A leap second is the first instant of the next minute, as POSIX time has no place for it.
            guard let value = cursor.number(width: 2), value <= 60 else { return nil }
            second = value
        }
        var fraction: Int64 = 0
        var precision = Precision.seconds
        if cursor.skip(UInt8(ascii: ".")) || cursor.skip(UInt8(ascii: ",")) {
            guard let (value, digits) = cursor.fraction() else { return nil }
            fraction = value
            precision = digits <= 3 ? .milliseconds : digits <= 6 ? .microseconds : .nanoseconds
        }
        guard let offset = cursor.offset(), cursor.isAtEnd else { return nil }
        seconds += Int64(hour * 3600 + minute * 60 + second - offset)
        guard let nanoseconds = Int64(exactly: Int128(seconds) * 1_000_000_000 + Int128(fraction)) else { return nil }
        self.init(nanoseconds: nanoseconds, precision: precision)
    }

    /// Reads a Unix number: seconds below 1e11, milliseconds below 1e14, microseconds below 1e17, else nanoseconds.
    package init?(unix number: ExactDecimal) {
        let mantissa: Int128
        let scale: Int
        if let compact = number.compact, compact.scale <= 18 {
            (mantissa, scale) = (Int128(compact.mantissa), Int(compact.scale))
        } else if let plain = SignificantDigits(number).plain(maximumScale: 9) {
            (mantissa, scale) = plain
        } else {
            return nil
        }
        let unit = Int128(powerOfTen(scale))
        let whole = mantissa.magnitude / unit.magnitude
        let exponent =
            whole < 100_000_000_000
            ? 9 : whole < 100_000_000_000_000 ? 6 : whole < 100_000_000_000_000_000 ? 3 : 0
        // The value in nanoseconds is mantissa * 10^(exponent - scale).
        guard let nanoseconds = Int64(exactly: mantissa * Int128(powerOfTen(exponent)) / unit) else { return nil }
        let digits = 9 - exponent + scale
        let precision: Precision =
            digits == 0 ? .seconds : digits <= 3 ? .milliseconds : digits <= 6 ? .microseconds : .nanoseconds
        self.init(nanoseconds: nanoseconds, precision: precision)
    }
}

/// Reads fixed-width numbers off the front of a date.
private struct DigitCursor {
    let bytes: UnsafeRawBufferPointer
    var index = 0

    var isAtEnd: Bool { self.index == self.bytes.count }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard self.index < self.bytes.count, self.bytes[self.index] == byte else { return false }
        self.index += 1
        return true
    }

    mutating func number(width: Int) -> Int? {
        guard self.index + width <= self.bytes.count else { return nil }
        var value = 0
        for _ in 0..<width {
            let digit = self.bytes[self.index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
            self.index += 1
        }
        return value
    }

    /// One to nine digits, as nanoseconds, and how many there were.
    mutating func fraction() -> (nanoseconds: Int64, digits: Int)? {
        var value: Int64 = 0
        var digits = 0
        while self.index < self.bytes.count, self.bytes[self.index] &- UInt8(ascii: "0") < 10 {
            guard digits < 9 else { return nil }
            value = value * 10 + Int64(self.bytes[self.index] &- UInt8(ascii: "0"))
            digits += 1
            self.index += 1
        }
        guard digits > 0 else { return nil }
        return (value * Int64(powerOfTen(9 - digits)), digits)
    }

    /// Seconds east of UTC; nothing means UTC.
    mutating func offset() -> Int? {
        if self.isAtEnd || self.skip(UInt8(ascii: "Z")) || self.skip(UInt8(ascii: "z")) { return 0 }
        let sign: Int
        if self.skip(UInt8(ascii: "+")) {
            sign = 1
        } else if self.skip(UInt8(ascii: "-")) {
            sign = -1
        } else {
            return nil
        }
        guard let hours = self.number(width: 2), hours < 24 else { return nil }
        if self.isAtEnd { return sign * hours * 3600 }
        _ = self.skip(UInt8(ascii: ":"))
        guard let minutes = self.number(width: 2), minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}

extension JSONWriter {
    /// Writes a timestamp in quotes.
    @inline(__always)
    package mutating func write(_ timestamp: Timestamp) {
        self.fill(ByteCursor.longestTimestamp) { $0.timestamp(timestamp.nanoseconds, timestamp.precision) }
    }

    package mutating func write(unquoted timestamp: Timestamp) {
        self.fill(ByteCursor.longestTimestamp) { cursor in
            cursor.at += cursor.seconds.write(timestamp.nanoseconds, timestamp.precision, to: cursor.at)
        }
    }
}
