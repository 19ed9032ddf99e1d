/// Ascending offsets as a few bytes each: every one but the first as its distance from the one before, seven bits a byte,
/// the low ones first (LEB128).
enum OffsetList {
    static func encode(_ offsets: [Int64]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(offsets.count * 2)
        var previous: Int64 = 0
        for offset in offsets {
            var rest = UInt64(bitPattern: offset &- previous)
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
            previous = offset
        }
        return bytes
    }

    /// `nil` for bytes that are no such list.
    static func decode(_ bytes: [UInt8]) -> [Int64]? {
        var offsets: [Int64] = []
        var previous: Int64 = 0
        var distance: UInt64 = 0
        var shift: UInt64 = 0
        for byte in bytes {
            guard shift < 63 else { return nil }
            distance |= UInt64(byte & 0x7F) << shift
            shift += 7
            guard byte < 0x80 else { continue }
            let (offset, isTooLarge) = previous.addingReportingOverflow(Int64(bitPattern: distance))
            guard !isTooLarge, offset > previous else { return nil }
            offsets.append(offset)
            previous = offset
            (distance, shift) = (0, 0)
        }
        return shift == 0 ? offsets : nil
    }
}
