/// Reads the canonical form of a UUID, 36 bytes with lower-case digits; `nil` for anything else.
@inline(__always)
package func parseUUID(_ bytes: UnsafeRawBufferPointer) -> (high: UInt64, low: UInt64)? {
    guard bytes.count == 36, let start = bytes.baseAddress else { return nil }
    return parseUUID(at: start.assumingMemoryBound(to: UInt8.self))
}

/// The same for 36 bytes that are all in reach.
@inline(__always)
func parseUUID(at start: UnsafePointer<UInt8>) -> (high: UInt64, low: UInt64)? {
    // 8-4-4-4-12: the groups of four are put together in pairs, the last twelve are taken as four and eight.
    let middle = ByteWords.load(start + 9) & 0xFFFF_FFFF | ByteWords.load(start + 14) &<< 32
    let last = ByteWords.load(start + 19) & 0xFFFF_FFFF | ByteWords.load(start + 24) &<< 32
    guard start[8] == 0x2D, start[13] == 0x2D, start[18] == 0x2D, start[23] == 0x2D,
        let word0 = ByteWords.eightHexDigits(ByteWords.load(start)), let word1 = ByteWords.eightHexDigits(middle),
        let word2 = ByteWords.eightHexDigits(last), let word3 = ByteWords.eightHexDigits(ByteWords.load(start + 28))
    else { return nil }
    return (word0 &<< 32 | word1, word2 &<< 32 | word3)
}

/// Writes the 36 characters of a UUID.
@inline(__always)
package func writeUUIDText(high: UInt64, low: UInt64, to target: UnsafeMutablePointer<UInt8>) {
    let raw = UnsafeMutableRawPointer(target)
    @inline(__always)
    func put<Word: FixedWidthInteger>(_ word: Word, at offset: Int) {
        raw.storeBytes(of: word.littleEndian, toByteOffset: offset, as: Word.self)
    }
    let middle = ByteWords.hexDigits(high & 0xFFFF_FFFF)
    let last = ByteWords.hexDigits(low &>> 32)
    put(ByteWords.hexDigits(high &>> 32), at: 0)
    put(UInt8(ascii: "-"), at: 8)
    put(UInt32(truncatingIfNeeded: middle), at: 9)
    put(UInt8(ascii: "-"), at: 13)
    put(UInt32(truncatingIfNeeded: middle &>> 32), at: 14)
    put(UInt8(ascii: "-"), at: 18)
    put(UInt32(truncatingIfNeeded: last), at: 19)
    put(UInt8(ascii: "-"), at: 23)
    put(UInt32(truncatingIfNeeded: last &>> 32), at: 24)
    put(ByteWords.hexDigits(low & 0xFFFF_FFFF), at: 28)
}
