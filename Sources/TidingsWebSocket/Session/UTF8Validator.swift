/// Validates UTF-8 that comes in pieces, and says no at the first byte that cannot be right.
struct UTF8Validator: Sendable {
    /// Continuation bytes still due.
    private var pending: UInt8 = 0
    /// What the next continuation byte may be: narrower after E0, ED, F0 and F4.
    private var lower: UInt8 = 0x80
    private var upper: UInt8 = 0xBF

    /// Whether no character is half read.
    var isComplete: Bool { self.pending == 0 }

    /// - Returns: false if the text can no longer become valid.
    mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        let count = bytes.count
        var index = 0
        while index < count {
            if self.pending == 0 {
                // Most of what we carry is ASCII: look at sixteen bytes at once.
                while index &+ 16 <= count {
                    let first = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    let second = base.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self)
                    guard (first | second) & 0x8080_8080_8080_8080 == 0 else { break }
                    index &+= 16
                }
                guard index < count else { break }
                let byte = base.load(fromByteOffset: index, as: UInt8.self)
                index &+= 1
                guard byte >= 0x80 else { continue }
                guard self.begin(byte) else { return false }
            } else {
                let byte = base.load(fromByteOffset: index, as: UInt8.self)
                index &+= 1
                guard byte >= self.lower, byte <= self.upper else { return false }
                self.pending &-= 1
                self.lower = 0x80
                self.upper = 0xBF
            }
        }
        return true
    }

    private mutating func begin(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xC2...0xDF: self.pending = 1
        case 0xE0: (self.pending, self.lower) = (2, 0xA0)
        case 0xED: (self.pending, self.upper) = (2, 0x9F)
        case 0xE1...0xEF: self.pending = 2
        case 0xF0: (self.pending, self.lower) = (3, 0x90)
        case 0xF4: (self.pending, self.upper) = (3, 0x8F)
        case 0xF1...0xF3: self.pending = 3
        default: return false
        }
        return true
    }
}
