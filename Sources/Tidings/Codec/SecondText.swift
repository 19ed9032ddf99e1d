/// The text of the second that was written last, since timestamps that follow one another often share it.
struct SecondText {
    /// Seconds since 1970; at first a second that no timestamp can have.
    private var second = Int64.min
    // `2024-01-15T10:30:00` as the words that start at its bytes 0, 8 and 11.
    private var head: UInt64 = 0
    private var middle: UInt64 = 0
    private var tail: UInt64 = 0

    /// Writes a timestamp without quotes and says how many bytes it has, 20 to 30.
    @inline(__always)
    mutating func write(
        _ nanoseconds: Int64, _ precision: Timestamp.Precision, to target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var (second, fraction) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        if fraction < 0 {
            second &-= 1
            fraction &+= 1_000_000_000
        }
        if second != self.second { self.find(second) }
        let raw = UnsafeMutableRawPointer(target)
        raw.storeBytes(of: self.head.littleEndian, as: UInt64.self)
        raw.storeBytes(of: self.middle.littleEndian, toByteOffset: 8, as: UInt64.self)
        raw.storeBytes(of: self.tail.littleEndian, toByteOffset: 11, as: UInt64.self)
        let digits = UInt64(truncatingIfNeeded: fraction)
        switch precision {
        case .seconds:
            target[19] = UInt8(ascii: "Z")
            return 20
        case .milliseconds:
            writePaddedDigits(digits / 1_000_000, count: 3, to: target + 20)
            target[19] = UInt8(ascii: ".")
            target[23] = UInt8(ascii: "Z")
            return 24
        case .microseconds:
            writePaddedDigits(digits / 1000, count: 6, to: target + 20)
            target[19] = UInt8(ascii: ".")
            target[26] = UInt8(ascii: "Z")
            return 27
        case .nanoseconds:
            writePaddedDigits(digits, count: 9, to: target + 20)
            target[19] = UInt8(ascii: ".")
            target[29] = UInt8(ascii: "Z")
            return 30
        }
    }

    @inline(never)
    private mutating func find(_ second: Int64) {
        var days = second / 86_400
        var secondOfDay = second % 86_400
        if secondOfDay < 0 {
            days -= 1
            secondOfDay += 86_400
        }
        let date = CivilDate(daysSince1970: Int(days))
        self.second = second
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { buffer in
            guard let text = buffer.baseAddress else { return }
            func put(_ value: Int, _ count: Int, at offset: Int, then sign: String.UTF8View.Element) {
                writePaddedDigits(UInt64(clamping: value), count: count, to: text + offset)
                text[offset + count] = sign
            }
            put(date.year, 4, at: 0, then: UInt8(ascii: "-"))
            put(date.month, 2, at: 5, then: UInt8(ascii: "-"))
            put(date.day, 2, at: 8, then: UInt8(ascii: "T"))
            put(Int(secondOfDay / 3600), 2, at: 11, then: UInt8(ascii: ":"))
            put(Int(secondOfDay / 60 % 60), 2, at: 14, then: UInt8(ascii: ":"))
            put(Int(secondOfDay % 60), 2, at: 17, then: 0)
            self.head = ByteWords.load(text)
            self.middle = ByteWords.load(text + 8)
            self.tail = ByteWords.load(text + 11)
        }
    }
}
