/// The XOR that clients put over their payloads, eight bytes at a time.
public enum WebSocketMask {
    /// A fresh key nobody can predict (RFC 6455, 10.3).
    public static func randomKey() -> UInt32 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    /// Masks or unmasks in place.
    /// - Parameters:
    ///   - key: first byte of the key in the lowest bits.
    ///   - offset: how many payload bytes went before these.
    public static func apply(_ key: UInt32, to bytes: UnsafeMutableRawBufferPointer, offset: Int = 0) {
        guard let base = bytes.baseAddress else { return }
        self.copy(UnsafeRawPointer(base), to: base, count: bytes.count, key: key, offset: offset)
    }

    /// Copies while masking; source and target may be the same memory, but not overlap otherwise.
    static func copy(
        _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, key: UInt32, offset: Int
    ) {
        let shift = UInt32(offset & 3) * 8
        let rotated = shift == 0 ? key : key >> shift | key << (32 - shift)
        let wide = (UInt64(rotated) << 32 | UInt64(rotated)).littleEndian
        var index = 0
        while index &+ 8 <= count {
            let word = source.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ wide
            target.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < count {
            let keyByte = UInt8(truncatingIfNeeded: rotated >> (UInt32(index & 3) * 8))
            let byte = source.load(fromByteOffset: index, as: UInt8.self) ^ keyByte
            target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
            index &+= 1
        }
    }
}
