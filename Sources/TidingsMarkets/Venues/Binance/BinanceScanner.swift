import Tidings

/// The quick way over frames that look exactly as Binance writes them: no white space, members in the known order, plain
/// numbers in quotes.
///
/// Gives up, without a reason, on anything else; ``BinanceFields`` then reads the frame again in whatever shape it is and
/// says what is wrong. Reads from `at` up to `end` and never outside; does not trap on any input.
struct BinanceScanner {
    private(set) var at: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>

    @inline(__always)
    init(_ start: UnsafePointer<UInt8>, count: Int) {
        self.at = start
        self.end = start + count
    }

    @inline(__always)
    var isAtEnd: Bool { self.at == self.end }

    /// Passes over a text if it comes next.
    @inline(__always)
    mutating func pass(_ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        let expected = literal.utf8Start
        guard self.end - self.at >= count else { return false }
        // Words, the last of which ends where the text ends.
        if count >= 8 {
            var index = 0
            while index &+ 8 < count {
                guard Self.word(self.at + index) == Self.word(expected + index) else { return false }
                index &+= 8
            }
            guard Self.word(self.at + (count &- 8)) == Self.word(expected + (count &- 8)) else { return false }
        } else {
            var index = 0
            while index < count {
                guard self.at[index] == expected[index] else { return false }
                index &+= 1
            }
        }
        self.at += count
        return true
    }

    /// Passes over a text up to its closing quote, which is passed over too; only plain ASCII, at most 64 bytes.
    @inline(__always)
    mutating func skipPlainText() -> Bool {
        let limit = min(self.end - self.at, 65)
        var index = 0
        while index < limit {
            let byte = self.at[index]
            if byte == UInt8(ascii: "\"") {
                self.at += index &+ 1
                return true
            }
            guard byte &- 0x21 < 0x5E, byte != UInt8(ascii: "\\") else { return false }
            index &+= 1
        }
        return false
    }

    /// A symbol of at most 16 bytes and its closing quote.
    @inline(__always)
    mutating func symbol() -> BinanceSymbolKey? {
        guard self.end - self.at >= 24 else { return nil }
        // Symbols end within the first two words; what follows the quote is cut off.
        let (first, second) = (Self.word(self.at), Self.word(self.at + 8))
        let (firstEnd, secondEnd) = (Self.quote(first), Self.quote(second))
        let key: BinanceSymbolKey
        let count: Int
        if firstEnd != 0 {
            count = firstEnd.trailingZeroBitCount &>> 3
            key = BinanceSymbolKey(low: Self.lowest(count, of: first), high: 0)
        } else if secondEnd != 0 {
            let rest = secondEnd.trailingZeroBitCount &>> 3
            count = 8 &+ rest
            key = BinanceSymbolKey(low: first, high: Self.lowest(rest, of: second))
        } else {
            guard self.at[16] == UInt8(ascii: "\"") else { return nil }
            count = 16
            key = BinanceSymbolKey(low: first, high: second)
        }
        self.at += count &+ 1
        return key
    }

    /// A whole number of at most 18 digits, without quotes.
    @inline(__always)
    mutating func number() -> UInt64? {
        var next = self.at
        var value: UInt64 = 0
        while next < self.end {
            let digit = next.pointee &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value &* 10 &+ UInt64(digit)
            next += 1
        }
        let digits = next - self.at
        guard digits > 0, digits <= 18, digits == 1 || self.at.pointee != UInt8(ascii: "0") else { return nil }
        self.at = next
        return value
    }

    /// A number that is not negative and its closing quote, the opening one having been passed over.
    @inline(__always)
    mutating func decimal() -> ExactDecimal? {
        var next = self.at
        var value: UInt64 = 0
        while next < self.end {
            let digit = next.pointee &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value &* 10 &+ UInt64(digit)
            next += 1
        }
        let whole = next - self.at
        guard whole > 0, whole == 1 || self.at.pointee != UInt8(ascii: "0"), next < self.end else { return nil }
        var scale = 0
        if next.pointee == UInt8(ascii: ".") {
            next += 1
            // Binance nearly always writes eight digits after the point.
            if self.end - next > 8, next[8] == UInt8(ascii: "\""), whole <= 10 {
                guard let fraction = Self.eightDigits(Self.word(next)) else { return nil }
                // At most 18 digits, which always fit.
                let mantissa = Int64(bitPattern: value &* 100_000_000 &+ fraction)
                self.at = next + 9
                return ExactDecimal(mantissa: mantissa, scale: 8)
            }
            let fraction = next
            while next < self.end {
                let digit = next.pointee &- UInt8(ascii: "0")
                guard digit < 10 else { break }
                value = value &* 10 &+ UInt64(digit)
                next += 1
            }
            scale = next - fraction
            guard scale > 0, next < self.end else { return nil }
        }
        guard next.pointee == UInt8(ascii: "\""), whole &+ scale <= 18 else { return nil }
        self.at = next + 1
        return ExactDecimal(mantissa: Int64(bitPattern: value), scale: UInt8(truncatingIfNeeded: scale))
    }

    /// `true` or `false`.
    @inline(__always)
    mutating func bool() -> Bool? {
        if self.pass("true") { return true }
        return self.pass("false") ? false : nil
    }

    /// A list of levels, `[["price","size"],...]`, added to `levels`; `false` where it is anything else.
    @inline(__always)
    mutating func levels(into levels: inout LevelList) -> Bool {
        guard self.pass("[") else { return false }
        if self.pass("]") { return true }
        while true {
            guard self.pass("[\""), let price = self.decimal(), self.pass(",\""), let size = self.decimal(),
                self.end - self.at >= 2, self.at[0] == UInt8(ascii: "]")
            else { return false }
            // No price is zero; the careful reader says so.
            if price.compact?.mantissa == 0 { return false }
            levels.append(price: price, size: size)
            let next = self.at[1]
            self.at += 2
            if next == UInt8(ascii: "]") { return true }
            guard next == UInt8(ascii: ",") else { return false }
        }
    }

    // MARK: Words: eight bytes at a time, the first of them lowest

    @inline(__always)
    static func word(_ address: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(address).loadUnaligned(as: UInt64.self))
    }

    /// The lowest `count` bytes of a word, which are fewer than eight.
    @inline(__always)
    static func lowest(_ count: Int, of word: UInt64) -> UInt64 {
        word & ((1 &<< (UInt64(truncatingIfNeeded: count) &* 8)) &- 1)
    }

    /// Not zero when one of the bytes is a quote; the lowest bit that is set is in the first of them.
    @inline(__always)
    private static func quote(_ word: UInt64) -> UInt64 {
        let difference = word ^ 0x2222_2222_2222_2222
        return (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
    }

    /// The number that eight ASCII digits make, the first of which is the most significant; `nil` when one is none.
    @inline(__always)
    private static func eightDigits(_ word: UInt64) -> UInt64? {
        let upper: UInt64 = 0xF0F0_F0F0_F0F0_F0F0
        guard (word & upper) | (((word &+ 0x0606_0606_0606_0606) & upper) &>> 4) == 0x3333_3333_3333_3333 else {
            return nil
        }
        // Neighbours are joined to pairs, pairs to fours, fours to the whole.
        let digits = word & 0x0F0F_0F0F_0F0F_0F0F
        let pairs = (digits &* 10 &+ (digits &>> 8)) & 0x00FF_00FF_00FF_00FF
        let fours = (pairs &* 100 &+ (pairs &>> 16)) & 0x0000_FFFF_0000_FFFF
        return (fours &* 10_000 &+ (fours &>> 32)) & 0xFFFF_FFFF
    }
}
