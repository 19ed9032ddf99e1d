/// Eight bytes at a time ("SIMD within a register"). A word's first byte in memory is its lowest one.
enum ByteWords {
    static var ones: UInt64 { 0x0101_0101_0101_0101 }
    static var highs: UInt64 { 0x8080_8080_8080_8080 }

    @inline(__always)
    static func load(_ address: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(address).loadUnaligned(as: UInt64.self))
    }

    /// The lowest `count` bytes of a word, which are fewer than eight.
    @inline(__always)
    static func lowest(_ count: Int, of word: UInt64) -> UInt64 {
        word & ((1 &<< (UInt64(truncatingIfNeeded: count) &* 8)) &- 1)
    }

    /// Not zero when one of the bytes is a quote, a backslash or a control character; the lowest bit that is set is in
    /// the first of them.
    @inline(__always)
    static func special(_ word: UInt64) -> UInt64 {
        let quote = word ^ (self.ones &* 0x22)
        let slash = word ^ (self.ones &* 0x5C)
        // The classic test for a zero byte: a byte above a zero one may be flagged by mistake, one below never is.
        let control = (word &- self.ones &* 0x20) & ~word
        return (((quote &- self.ones) & ~quote) | ((slash &- self.ones) & ~slash) | control) & self.highs
    }

    /// Bytes of a literal, from `start` on; the compiler makes a constant of it.
    @inline(__always)
    static func literal(_ literal: StaticString, from start: Int = 0, count: Int = 8) -> UInt64 {
        let bytes = literal.utf8Start + start
        if count == 8 { return self.load(bytes) }
        var word: UInt64 = 0
        if count > 0 { word |= UInt64(bytes[0]) }
        if count > 1 { word |= UInt64(bytes[1]) &<< 8 }
        if count > 2 { word |= UInt64(bytes[2]) &<< 16 }
        if count > 3 { word |= UInt64(bytes[3]) &<< 24 }
        if count > 4 { word |= UInt64(bytes[4]) &<< 32 }
        if count > 5 { word |= UInt64(bytes[5]) &<< 40 }
        if count > 6 { word |= UInt64(bytes[6]) &<< 48 }
        return word
    }

    /// Whether all eight are ASCII digits.
    @inline(__always)
    static func areDigits(_ word: UInt64) -> Bool {
        // The upper half of each byte has to be 3, and stay so when 6 is added.
        let upper: UInt64 = 0xF0F0_F0F0_F0F0_F0F0
        return (word & upper) | (((word &+ self.ones &* 6) & upper) &>> 4) == 0x3333_3333_3333_3333
    }

    /// The 32 bits that eight lower-case hexadecimal digits make; `nil` when one of them is none.
    @inline(__always)
    static func eightHexDigits(_ word: UInt64) -> UInt64? {
        // No byte has its top bit, so that sums stay within their bytes.
        guard word & self.highs == 0 else { return nil }
        let isAtLeastZero = word &+ self.ones &* (0x80 - 0x30)
        let isAboveNine = word &+ self.ones &* (0x80 - 0x3A)
        let isAtLeastA = word &+ self.ones &* (0x80 - 0x61)
        let isAboveF = word &+ self.ones &* (0x80 - 0x67)
        let digits = isAtLeastZero & ~isAboveNine
        let letters = isAtLeastA & ~isAboveF
        guard (digits | letters) & self.highs == self.highs else { return nil }
        // A letter's low half is 1 to 6: nine more makes it 10 to 15.
        var value = (word & (self.ones &* 0x0F)) &+ ((letters & self.highs) &>> 7) &* 9
        value = (value &<< 4 | value &>> 8) & 0x00FF_00FF_00FF_00FF
        value = (value &<< 8 | value &>> 16) & 0x0000_FFFF_0000_FFFF
        return (value &<< 16 | value &>> 32) & 0xFFFF_FFFF
    }

    /// Eight lower-case hexadecimal digits of 32 bits, the most significant first.
    @inline(__always)
    static func hexDigits(_ bits: UInt64) -> UInt64 {
        // Spread the eight halves of bytes over eight bytes, in the order in which they are written.
        var value = (bits &>> 16 | bits &<< 32) & 0x0000_FFFF_0000_FFFF
        value = (value &>> 8 | value &<< 16) & 0x00FF_00FF_00FF_00FF
        value = (value &>> 4 | value &<< 8) & 0x0F0F_0F0F_0F0F_0F0F
        // From 10 up a letter, which is 39 further on than the digits.
        let letters = ((value &+ self.ones &* 6) &>> 4) & self.ones
        return value &+ self.ones &* 0x30 &+ letters &* 39
    }
}
