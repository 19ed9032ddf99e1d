/// A 128-bit hash that never changes between runs, machines or versions: identifiers are made of it.
///
/// Two lanes of multiply-and-fold over 64-bit words, each seeded differently. Not for security: it tells events apart
/// that nobody tries to make collide.
package struct StableHash: Sendable {
    package static let secret0: UInt64 = 0xA076_1D64_78BD_642F
    package static let secret1: UInt64 = 0xE703_7ED1_A0B4_28DB
    private static let secret2: UInt64 = 0x8EBC_6AF0_9C88_C6E3

    private var first: UInt64
    private var second: UInt64

    package init() {
        self.first = Self.secret0
        self.second = Self.secret2
    }

    /// The two halves of the product, folded.
    @inline(__always)
    package static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    @inline(__always)
    package mutating func combine(_ word: UInt64) {
        self.first = Self.mix(self.first ^ word, Self.secret1 ^ (word << 32 | word >> 32))
        self.second = Self.mix(self.second ^ ~word, Self.secret0) &+ self.first
    }

    package mutating func combine(_ word: Int64) {
        self.combine(UInt64(bitPattern: word))
    }

    /// Adds bytes and their number, so that neighbouring pieces cannot run into one another.
    package mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index &+ 8 <= bytes.count {
            self.combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
            index &+= 8
        }
        var tail: UInt64 = 0
        while index < bytes.count {
            tail = tail << 8 | UInt64(bytes[index])
            index &+= 1
        }
        self.combine(tail)
        self.combine(UInt64(bytes.count) ^ Self.secret2)
    }

    package mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { self.combine(UnsafeRawBufferPointer($0)) }
    }

    /// The upper half of the hash of one text.
    package static func hash(of text: String) -> UInt64 {
        var hash = StableHash()
        hash.combine(text)
        return hash.finish().high
    }

    package func finish() -> (high: UInt64, low: UInt64) {
        let high = Self.mix(self.first ^ Self.secret1, self.second ^ Self.secret0)
        let low = Self.mix(self.second ^ Self.secret2, high ^ Self.secret1)
        return (high, low)
    }
}
