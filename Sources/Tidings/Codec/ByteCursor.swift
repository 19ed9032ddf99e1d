/// Writes pieces of JSON into memory with enough room, without asking for it each time.
///
/// Whoever makes one has reserved at least as many bytes as will be written; see ``JSONWriter/fill(_:_:)``.
struct ByteCursor {
    var at: UnsafeMutablePointer<UInt8>
    var seconds: SecondText

    /// The longest compact number: a sign, `0.`, 255 digits after the point.
    static let longestDecimal = 280
    /// The longest timestamp in quotes.
    static let longestTimestamp = 32

    @inline(__always)
    mutating func literal(_ literal: StaticString) {
        let count = literal.utf8CodeUnitCount
        self.at.update(from: literal.utf8Start, count: count)
        self.at += count
    }

    @inline(__always)
    mutating func byte(_ byte: UInt8) {
        self.at.pointee = byte
        self.at += 1
    }

    @inline(__always)
    mutating func bytes(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        UnsafeMutableRawPointer(self.at).copyMemory(from: start, byteCount: bytes.count)
        self.at += bytes.count
    }

    /// Few bytes, in words that may go past their end; there has to be room for 16 more.
    @inline(__always)
    mutating func shortBytes(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= 16, bytes.count >= 8, let start = bytes.baseAddress else {
            return self.bytes(bytes)
        }
        let target = UnsafeMutableRawPointer(self.at)
        let last = bytes.count &- 8
        target.storeBytes(of: start.loadUnaligned(as: UInt64.self), as: UInt64.self)
        target.storeBytes(
            of: start.loadUnaligned(fromByteOffset: last, as: UInt64.self), toByteOffset: last, as: UInt64.self)
        self.at += bytes.count
    }

    @inline(__always)
    mutating func number(_ value: UInt64) {
        self.at += writeDecimalDigits(value, to: self.at)
    }

    @inline(__always)
    mutating func uuid(high: UInt64, low: UInt64) {
        self.at.pointee = UInt8(ascii: "\"")
        writeUUIDText(high: high, low: low, to: self.at + 1)
        self.at[37] = UInt8(ascii: "\"")
        self.at += 38
    }

    /// `mantissa` with `scale` digits after the point.
    @inline(__always)
    mutating func decimal(mantissa: Int64, scale: UInt8) {
        self.at += writeDecimal(mantissa: mantissa, scale: Int(scale), to: self.at)
    }

    /// A timestamp in quotes.
    @inline(__always)
    mutating func timestamp(_ nanoseconds: Int64, _ precision: Timestamp.Precision) {
        self.at.pointee = UInt8(ascii: "\"")
        self.at += 1 + self.seconds.write(nanoseconds, precision, to: self.at + 1)
        self.at.pointee = UInt8(ascii: "\"")
        self.at += 1
    }
}

/// Writes `mantissa` with `scale` digits after the point and says how many bytes that took.
@inline(__always)
func writeDecimal(mantissa: Int64, scale: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
    var at = target
    if mantissa < 0 {
        at.pointee = UInt8(ascii: "-")
        at += 1
    }
    let magnitude = mantissa.magnitude
    if scale == 0 {
        at += writeDecimalDigits(magnitude, to: at)
    } else if scale < 20 {
        let unit = powerOfTen(scale)
        let (whole, fraction) = magnitude.quotientAndRemainder(dividingBy: unit)
        at += writeDecimalDigits(whole, to: at)
        at.pointee = UInt8(ascii: ".")
        writePaddedDigits(fraction, count: scale, to: at + 1)
        at += 1 + scale
    } else {
        at[0] = UInt8(ascii: "0")
        at[1] = UInt8(ascii: ".")
        writePaddedDigits(magnitude, count: scale, to: at + 2)
        at += 2 + scale
    }
    return at - target
}
