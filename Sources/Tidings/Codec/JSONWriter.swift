#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Writes compact JSON into a growing block of memory that it owns.
///
/// The caller is responsible for commas and nesting: this is the layer below the encoders, made of copies and one
/// capacity check per piece. Strings are escaped as RFC 8259 asks; everything else is written as given.
package struct JSONWriter: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    package private(set) var count: Int = 0
    private var seconds = SecondText()

    package init(capacity: Int = 1024) {
        let capacity = max(capacity, 64)
        self.base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit {
        self.base.deallocate()
    }

    /// Forgets what was written and keeps the memory.
    package mutating func reset() {
        self.count = 0
    }

    /// Takes back everything written after `count` bytes.
    package mutating func truncate(to count: Int) {
        precondition(count <= self.count)
        self.count = count
    }

    /// What was written so far; valid only inside `body`.
    package borrowing func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: self.base, count: self.count))
    }

    package borrowing func array() -> [UInt8] {
        self.withBytes { Array($0) }
    }

    package borrowing func string() -> String {
        self.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Room

    @inline(__always)
    private mutating func reserve(_ extra: Int) {
        if self.count &+ extra > self.capacity {
            self.grow(extra)
        }
    }

    @inline(never)
    private mutating func grow(_ extra: Int) {
        let newCapacity = max(self.capacity * 2, self.count + extra)
        let newBase = UnsafeMutablePointer<UInt8>.allocate(capacity: newCapacity)
        newBase.update(from: self.base, count: self.count)
        self.base.deallocate()
        self.base = newBase
        self.capacity = newCapacity
    }

    /// Lets `body` write at most `room` bytes without any more checks.
    @inline(__always)
    mutating func fill(_ room: Int, _ body: (inout ByteCursor) -> Void) {
        self.reserve(room)
        let start = self.base + self.count
        var cursor = ByteCursor(at: start, seconds: self.seconds)
        body(&cursor)
        self.seconds = cursor.seconds
        self.count &+= cursor.at - start
        assert(cursor.at - start <= room)
    }

    // MARK: Raw pieces

    @inline(__always)
    package mutating func literal(_ literal: StaticString) {
        let length = literal.utf8CodeUnitCount
        self.reserve(length)
        (self.base + self.count).update(from: literal.utf8Start, count: length)
        self.count &+= length
    }

    @inline(__always)
    package mutating func write(byte: UInt8) {
        self.reserve(1)
        self.base[self.count] = byte
        self.count &+= 1
    }

    @inline(__always)
    package mutating func write(bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        self.reserve(bytes.count)
        memcpy(self.base + self.count, start, bytes.count)
        self.count &+= bytes.count
    }

    /// Writes the UTF-8 of `text` as it is, without quotes or escaping.
    package mutating func write(unescaped text: String) {
        var text = text
        text.withUTF8 { self.write(bytes: UnsafeRawBufferPointer($0)) }
    }

    // MARK: Numbers

    package mutating func write(_ value: Bool) {
        if value { self.literal("true") } else { self.literal("false") }
    }

    @inline(__always)
    package mutating func write(_ value: UInt64) {
        self.reserve(20)
        self.count &+= writeDecimalDigits(value, to: self.base + self.count)
    }

    @inline(__always)
    package mutating func write(_ value: Int64) {
        if value < 0 { self.write(byte: UInt8(ascii: "-")) }
        self.write(value.magnitude)
    }

    package mutating func write(_ value: Int) {
        self.write(Int64(value))
    }

    /// Writes `mantissa` with `scale` digits after the point.
    @inline(__always)
    package mutating func write(mantissa: Int64, scale: UInt8) {
        self.reserve(24 + Int(scale))
        self.count &+= writeDecimal(mantissa: mantissa, scale: Int(scale), to: self.base + self.count)
    }

    /// Writes `width` digits with leading zeros.
    @inline(__always)
    package mutating func write(_ value: UInt64, width: Int) {
        self.reserve(width)
        let at = self.base + self.count
        var rest = value
        var index = width
        while index > 0 {
            index &-= 1
            at[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        self.count &+= width
    }

    /// Writes 16 bytes as the 36 characters of a lower-case UUID.
    @inline(__always)
    package mutating func write(uuidHigh high: UInt64, low: UInt64) {
        self.reserve(36)
        writeUUIDText(high: high, low: low, to: self.base + self.count)
        self.count &+= 36
    }

    // MARK: Strings

    /// Writes `text` as a JSON string with its quotes.
    package mutating func write(string text: String) {
        var text = text
        text.withUTF8 { self.write(string: UnsafeRawBufferPointer($0)) }
    }

    /// Writes UTF-8 bytes as a JSON string with its quotes. The bytes have to be valid UTF-8.
    package mutating func write(string bytes: UnsafeRawBufferPointer) {
        self.reserve(bytes.count + 2)
        self.base[self.count] = UInt8(ascii: "\"")
        self.count &+= 1
        var start = 0
        var index = 0
        let end = bytes.count
        while index < end {
            let byte = bytes[index]
            if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
                index &+= 1
                continue
            }
            self.write(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<index]))
            self.write(escaped: byte)
            index &+= 1
            start = index
        }
        if start < end {
            self.write(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        }
        self.write(byte: UInt8(ascii: "\""))
    }

    @inline(never)
    private mutating func write(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): self.literal("\\\"")
        case UInt8(ascii: "\\"): self.literal("\\\\")
        case UInt8(ascii: "\n"): self.literal("\\n")
        case UInt8(ascii: "\r"): self.literal("\\r")
        case UInt8(ascii: "\t"): self.literal("\\t")
        case 0x08: self.literal("\\b")
        case 0x0C: self.literal("\\f")
        default:
            self.literal("\\u00")
            self.write(byte: hexDigit(byte >> 4))
            self.write(byte: hexDigit(byte & 15))
        }
    }
}

@inline(__always)
package func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ (value &- 10)
}
