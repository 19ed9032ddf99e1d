extension JSONScanner {
    /// A number.
    @inline(__always)
    mutating func decimal() -> ExactDecimal? {
        if let compact = self.compactDecimal() {
            return ExactDecimal(mantissa: compact.mantissa, scale: compact.scale)
        }
        var copy = self
        let number = copy.longDecimal()
        self = copy
        return number
    }

    /// A number that is held as mantissa and scale; where it is none the scanner stays where it is.
    @inline(__always)
    mutating func compactDecimal() -> (mantissa: Int64, scale: UInt8)? {
        var next = self.at
        let isNegative = next < self.end && next.pointee == UInt8(ascii: "-")
        if isNegative { next += 1 }
        var mantissa: UInt64 = 0
        let integer = next
        self.add(digitsAt: &next, to: &mantissa)
        var digits = next - integer
        guard digits > 0, digits == 1 || integer.pointee != UInt8(ascii: "0") else { return nil }
        var scale = 0
        if next < self.end && next.pointee == UInt8(ascii: ".") {
            next += 1
            let fraction = next
            self.add(digitsAt: &next, to: &mantissa)
            scale = next - fraction
            guard scale > 0 else { return nil }
            digits &+= scale
        }
        // The same bounds as in `ExactDecimal(bytes:)`.
        guard digits <= 19, mantissa <= UInt64(Int64.max), !(isNegative && mantissa == 0),
            !(next < self.end && next.pointee | 0x20 == UInt8(ascii: "e"))
        else { return nil }
        self.at = next
        let signed = Int64(bitPattern: mantissa)
        return (isNegative ? 0 &- signed : signed, UInt8(truncatingIfNeeded: scale))
    }

    @inline(__always)
    private func add(digitsAt next: inout UnsafePointer<UInt8>, to mantissa: inout UInt64) {
        // Byte by byte: numbers are short, and the processor guesses where they end and reads on meanwhile.
        while next < self.end {
            let digit = next.pointee &- UInt8(ascii: "0")
            guard digit < 10 else { return }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            next += 1
        }
    }

    @inline(never)
    private mutating func longDecimal() -> ExactDecimal? {
        let start = self.at
        guard self.skipNumber() else { return nil }
        return ExactDecimal(bytes: UnsafeRawBufferPointer(start: start, count: self.at - start))
    }

    /// A canonical UUID in quotes; without one the scanner stays where it is.
    @inline(__always)
    mutating func uuid() -> EventID? {
        let start = self.at + 1
        // With 38 bytes of token every byte read below is inside.
        guard self.end - self.at >= 38, start[36] == UInt8(ascii: "\""), let uuid = parseUUID(at: start) else {
            return nil
        }
        self.at += 38
        return EventID(high: uuid.high, low: uuid.low)
    }

    /// A moment as we write it, `2024-01-15T10:30:00.123456Z`, in quotes; without one the scanner stays where it is.
    @inline(__always)
    mutating func canonicalTimestamp() -> Timestamp? {
        let start = self.at + 1
        guard self.end - self.at >= 22 else { return nil }
        let count: Int
        let fraction: Int64
        let precision: Timestamp.Precision
        if start[19] == UInt8(ascii: "Z") {
            (count, fraction, precision) = (20, 0, .seconds)
        } else {
            guard start[19] == UInt8(ascii: "."),
                let (digits, value) = self.fraction(at: start + 20), start[20 + digits] == UInt8(ascii: "Z")
            else { return nil }
            (count, fraction) = (21 + digits, value)
            precision = digits <= 3 ? .milliseconds : digits <= 6 ? .microseconds : .nanoseconds
        }
        guard self.end - start > count, start[count] == UInt8(ascii: "\""),
            let seconds = secondsSince1970(canonical: start)
        else { return nil }
        // Outside the years that 64 bits of nanoseconds hold the long way says what is wrong.
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (nanoseconds, carry) = whole.addingReportingOverflow(fraction)
        guard !overflow, !carry else { return nil }
        self.at += count + 2
        return Timestamp(nanoseconds: nanoseconds, precision: precision)
    }

    /// One to nine digits as nanoseconds, with at least one byte behind them.
    @inline(__always)
    private func fraction(at start: UnsafePointer<UInt8>) -> (digits: Int, nanoseconds: Int64)? {
        var value: UInt64 = 0
        var next = start
        self.add(digitsAt: &next, to: &value)
        let digits = next - start
        guard (1...9).contains(digits), next < self.end else { return nil }
        return (digits, Int64(truncatingIfNeeded: value &* powerOfTen(9 &- digits)))
    }

    // MARK: Loose values: what may be text as well as a number; `.none` where it is something else

    /// A number, or a text that holds one. The outer optional is `nil` when the JSON is not understood.
    @inline(__always)
    mutating func looseNumber() -> ExactDecimal?? {
        switch self.token() {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            guard let number = self.decimal() else { return nil }
            return .some(number)
        case UInt8(ascii: "\""):
            guard let text = self.string() else { return nil }
            return .some(text.withUTF8 { ExactDecimal(bytes: $0) })
        default:
            return self.skipValue(depth: 0) ? .some(nil) : nil
        }
    }

    /// A date as text or a Unix number.
    @inline(__always)
    mutating func looseTimestamp() -> Timestamp?? {
        switch self.token() {
        case UInt8(ascii: "\""):
            if let timestamp = self.canonicalTimestamp() { return .some(timestamp) }
            guard let text = self.string() else { return nil }
            return .some(text.withUTF8 { Timestamp(bytes: $0) })
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            guard let number = self.decimal() else { return nil }
            return .some(Timestamp(unix: number))
        default:
            return self.skipValue(depth: 0) ? .some(nil) : nil
        }
    }

    /// A text as a name.
    @inline(__always)
    mutating func looseName(depth: Int = 0) -> Name?? {
        if self.token() == UInt8(ascii: "\"") {
            guard let text = self.string() else { return nil }
            return .some(text.withUTF8 { Name(validated: $0) })
        }
        return self.skipValue(depth: depth) ? .some(nil) : nil
    }
}

/// Whole seconds of a date and a time in the form `2024-01-15T10:30:00`, 19 bytes of which all are in reach; `nil` for
/// anything that is not exactly that, or no valid time. Leap seconds are left to others.
@inline(__always)
func secondsSince1970(canonical start: UnsafePointer<UInt8>) -> Int64? {
    // 2024-01-15T10:30:00 as three overlapping words: "2024-01-", "01-15T10", "10:30:00".
    let (first, second, third) = (ByteWords.load(start), ByteWords.load(start + 5), ByteWords.load(start + 11))
    let zeros = ByteWords.ones &* 0x30
    // The signs have to be what they are, and make way for zeros, so that all eight bytes are digits.
    guard first & 0xFF00_00FF_0000_0000 == 0x2D00_002D_0000_0000,
        second & 0x0000_FF00_00FF_0000 == 0x0000_5400_002D_0000,
        third & 0x0000_FF00_00FF_0000 == 0x0000_3A00_003A_0000
    else { return nil }
    let year = first ^ 0x1D00_001D_0000_0000
    let day = second ^ 0x0000_6400_001D_0000
    let time = third ^ 0x0000_0A00_000A_0000
    guard ByteWords.areDigits(year), ByteWords.areDigits(day), ByteWords.areDigits(time) else { return nil }
    // Each pair of digits in the lower byte of its two.
    @inline(__always)
    func pairs(_ word: UInt64) -> UInt64 {
        let digits = word &- zeros
        return digits &* 10 &+ (digits &>> 8)
    }
    @inline(__always)
    func byte(_ word: UInt64, _ index: UInt64) -> Int { Int(truncatingIfNeeded: (word &>> (index &* 8)) & 0xFF) }
    let (years, days, times) = (pairs(year), pairs(day), pairs(time))
    let year4 = byte(years, 0) &* 100 &+ byte(years, 2)
    let date = CivilDate(year: year4, month: byte(days, 0), day: byte(days, 3))
    let (hour, minute, second60) = (byte(times, 0), byte(times, 3), byte(times, 6))
    guard hour < 24, minute < 60, second60 < 60, year4 > 0, date.isValid else { return nil }
    return Int64(date.daysSince1970OfOurEra) &* 86_400 &+ Int64(hour &* 3600 &+ minute &* 60 &+ second60)
}
