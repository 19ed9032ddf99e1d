@inline(__always)
func hexDigitValue(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte &- UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte &- UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte &- UInt8(ascii: "A")) + 10
    default: nil
    }
}

/// Resolves the escapes of a string whose escapes are known to be well formed. A surrogate without its partner becomes
/// U+FFFD.
package func unescapeJSON(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
        count = unescapeJSON(bytes, into: UnsafeMutableRawBufferPointer(buffer))
    }
}

/// The same into memory with room for as many bytes as there are, of which it never takes more: no escape is shorter than
/// what it stands for.
func unescapeJSON(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
    precondition(output.count >= bytes.count)
    guard let base = output.baseAddress, let source = bytes.baseAddress else { return 0 }
    let start = base.assumingMemoryBound(to: UInt8.self)
    var target = start
    var next = source.assumingMemoryBound(to: UInt8.self)
    let end = next + bytes.count
    while next < end {
        let byte = next.pointee
        guard byte == UInt8(ascii: "\\"), end - next >= 2 else {
            target.pointee = byte
            target += 1
            next += 1
            continue
        }
        let escape = next[1]
        guard escape == UInt8(ascii: "u"), end - next >= 6 else {
            target.pointee = unescaped(escape)
            target += 1
            next += 2
            continue
        }
        var scalar = hexadecimal(next + 2)
        next += 6
        if scalar & 0xF800 == 0xD800 {
            // A lead surrogate needs its trail right behind it.
            if scalar < 0xDC00, end - next >= 6, next[0] == UInt8(ascii: "\\"), next[1] == UInt8(ascii: "u"),
                case let trail = hexadecimal(next + 2), trail & 0xFC00 == 0xDC00
            {
                scalar = 0x10000 + ((scalar & 0x3FF) << 10 | trail & 0x3FF)
                next += 6
            } else {
                scalar = 0xFFFD
            }
        }
        target += writeUTF8(scalar, to: target)
    }
    return target - start
}

@inline(__always)
private func unescaped(_ escape: UInt8) -> UInt8 {
    switch escape {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: escape
    }
}

/// The number that four hexadecimal digits make, in either case, which are known to be some.
@inline(__always)
private func hexadecimal(_ digits: UnsafePointer<UInt8>) -> UInt32 {
    @inline(__always)
    func value(_ digit: UInt8) -> UInt32 { UInt32(digit & 15) &+ (digit >= 0x40 ? 9 : 0) }
    return (value(digits[0]) << 12 | value(digits[1]) << 8 | value(digits[2]) << 4 | value(digits[3])) & 0xFFFF
}

/// Writes one to four bytes and says how many.
@inline(__always)
private func writeUTF8(_ scalar: UInt32, to target: UnsafeMutablePointer<UInt8>) -> Int {
    @inline(__always)
    func put(_ index: Int, _ value: UInt32) { target[index] = UInt8(truncatingIfNeeded: value) }
    if scalar < 0x80 {
        put(0, scalar)
        return 1
    }
    if scalar < 0x800 {
        put(0, 0xC0 | scalar >> 6)
        put(1, 0x80 | scalar & 0x3F)
        return 2
    }
    if scalar < 0x10000 {
        put(0, 0xE0 | scalar >> 12)
        put(1, 0x80 | scalar >> 6 & 0x3F)
        put(2, 0x80 | scalar & 0x3F)
        return 3
    }
    put(0, 0xF0 | scalar >> 18)
    put(1, 0x80 | scalar >> 12 & 0x3F)
    put(2, 0x80 | scalar >> 6 & 0x3F)
    put(3, 0x80 | scalar & 0x3F)
    return 4
}
