/// One quick look over the compact text of a JSON object, which allocates nothing: enough to know of nearly every object
/// that it holds no secret.
enum JSONGlance {
    /// Whether there is a key that may be a sensitive one, or a byte without which no text holds credentials (`@`, `=`,
    /// `%`, an escape).
    ///
    /// - Parameter bytes: the compact text of an object, known to be valid.
    static func isSuspicious(_ bytes: UnsafeRawBufferPointer, keys: SensitiveKeys) -> Bool {
        guard let base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return false }
        if Self.hasMarks(base, count: bytes.count) { return true }
        return keys.withGlance { Self.hasKey(base, count: bytes.count, $0) }
    }

    /// Whether any of the bytes is one that makes a text suspicious. Without branches, so that it is done in vectors.
    @inline(__always)
    private static func hasMarks(_ base: UnsafePointer<UInt8>, count: Int) -> Bool {
        let words = UnsafeRawPointer(base)
        var found: UInt64 = 0
        var index = 0
        while index &+ 8 <= count {
            found |= Self.marks(words.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index &+= 8
        }
        if count >= 8 {
            // The rest, together with bytes that have been looked at.
            found |= Self.marks(words.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
        } else {
            while index < count {
                found |= Self.marks(UInt64(base[index]))
                index &+= 1
            }
        }
        return found & 0x8080_8080_8080_8080 != 0
    }

    @inline(__always)
    private static func marks(_ word: UInt64) -> UInt64 {
        Self.find(UInt8(ascii: "@"), in: word) | Self.find(UInt8(ascii: "="), in: word)
            | Self.find(UInt8(ascii: "%"), in: word) | Self.find(UInt8(ascii: "\\"), in: word)
    }

    /// Goes from string to string, of which none has an escape, and looks at those that are keys.
    private static func hasKey(_ base: UnsafePointer<UInt8>, count: Int, _ keys: SensitiveKeys.Glance) -> Bool {
        var index = 0
        while index < count {
            index &+= 1
            guard base[index &- 1] == UInt8(ascii: "\"") else { continue }
            let start = index
            index = Self.endOfString(base, from: index, count: count)
            let length = index &- start
            index &+= 1
            // The text is valid, so something follows: at least the brace that ends the object.
            if base[index] == UInt8(ascii: ":") {
                if keys.mayMatch(base + start, count: length) { return true }
                index &+= 1
            }
        }
        return false
    }

    /// Where the quote stands that ends a string: the text is valid, so there is one.
    @inline(__always)
    private static func endOfString(_ base: UnsafePointer<UInt8>, from start: Int, count: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let word = UInt64(littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
            let quotes = Self.find(UInt8(ascii: "\""), in: word) & 0x8080_8080_8080_8080
            if quotes != 0 { return index &+ quotes.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while base[index] != UInt8(ascii: "\"") { index &+= 1 }
        return index
    }

    /// Sets the highest bit of the first byte that is the wanted one, and of none before it.
    @inline(__always)
    private static func find(_ byte: UInt8, in word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let difference = word ^ (ones &* UInt64(byte))
        return (difference &- ones) & ~difference
    }
}
