/// Reads the canonical form of a UUID, 36 bytes with lower-case digits; `nil` for anything else.
@inline(__always)
package func parseUUID(_ bytes: UnsafeRawBufferPointer) -> (high: UInt64, low: UInt64)? {
    guard bytes.count == 36, bytes[8] == 0x2D, bytes[13] == 0x2D, bytes[18] == 0x2D, bytes[23] == 0x2D else {
        return nil
    }
    var failed: UInt8 = 0
    var high: UInt64 = 0
    var low: UInt64 = 0
    var index = 0
    while index < 18 {
        if index != 8 && index != 13 {
            high = (high << 4) | UInt64(hexValue(bytes[index], &failed))
        }
        index &+= 1
    }
    index = 19
    while index < 36 {
        if index != 23 {
            low = (low << 4) | UInt64(hexValue(bytes[index], &failed))
        }
        index &+= 1
    }
    return failed == 0 ? (high, low) : nil
}

@inline(__always)
private func hexValue(_ byte: UInt8, _ failed: inout UInt8) -> UInt8 {
    let digit = byte &- UInt8(ascii: "0")
    if digit < 10 { return digit }
    let letter = byte &- UInt8(ascii: "a")
    if letter < 6 { return letter &+ 10 }
    failed = 1
    return 0
}

/// Writes the 36 characters of a UUID.
@inline(__always)
package func writeUUIDText(high: UInt64, low: UInt64, to target: UnsafeMutablePointer<UInt8>) {
    var at = target
    @inline(__always)
    func put(_ value: UInt64, bits: Int) {
        var shift = bits
        while shift > 0 {
            shift &-= 4
            at.pointee = hexDigit(UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15)
            at += 1
        }
    }
    put(high >> 32, bits: 32)
    at.pointee = 0x2D
    at += 1
    put((high >> 16) & 0xFFFF, bits: 16)
    at.pointee = 0x2D
    at += 1
    put(high & 0xFFFF, bits: 16)
    at.pointee = 0x2D
    at += 1
    put(low >> 48, bits: 16)
    at.pointee = 0x2D
    at += 1
    put(low & 0xFFFF_FFFF_FFFF, bits: 48)
}
