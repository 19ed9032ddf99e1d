import Tidings

/// CRC-32 as in IEEE 802.3 and zlib, eight bytes at a time.
struct CRC32: Sendable {
    private var state: UInt32 = .max

    var value: UInt32 { ~self.state }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        self.state = Self.tables.withUnsafeBufferPointer { tables in
            var state = self.state
            var index = 0
            @inline(__always)
            func entry(_ table: Int, _ byte: UInt64) -> UInt32 {
                tables[table &* 256 &+ Int(truncatingIfNeeded: byte & 0xFF)]
            }
            while index &+ 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let mixed = word ^ UInt64(state)
                let low = entry(7, mixed) ^ entry(6, mixed &>> 8) ^ entry(5, mixed &>> 16) ^ entry(4, mixed &>> 24)
                let high =
                    entry(3, mixed &>> 32) ^ entry(2, mixed &>> 40) ^ entry(1, mixed &>> 48) ^ entry(0, mixed &>> 56)
                state = low ^ high
                index &+= 8
            }
            while index < bytes.count {
                state = entry(0, UInt64(state ^ UInt32(bytes[index]))) ^ (state &>> 8)
                index &+= 1
            }
            return state
        }
    }

    /// Table k tells what a byte does that k zero bytes follow.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = (0..<256).map { byte in
            (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
        }
        for index in 256..<2048 {
            let before = tables[index - 256]
            tables.append(tables[Int(before & 0xFF)] ^ before >> 8)
        }
        return tables
    }()
}

/// Kraken's checksum of a book.
///
/// Source: https://docs.kraken.com/api/docs/guides/spot-ws-book-v2: CRC-32 over the ten best asks from low to high, then
/// the ten best bids from high to low, of each the price and the size, without the point and without leading zeros.
extension LocalBook {
    /// Over the digits as they were received.
    func checksum() -> UInt32 {
        self.checksum(priceScale: nil, sizeScale: nil)
    }

    /// Over prices and sizes with the digits after the point that the instrument has, where they are known: zeros that
    /// were left out when a number was written come back.
    func checksum(priceScale: Int?, sizeScale: Int?) -> UInt32 {
        withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 8) { buffer in
            var text = ChecksumText(buffer)
            for side in [self.asks, self.bids] {
                for rank in 0..<min(10, side.count) {
                    guard let level = side.level(rank) else { continue }
                    text.write(level.price, scale: priceScale)
                    text.write(level.volume, scale: sizeScale)
                }
            }
            return text.checksum()
        }
    }
}

/// The digits of many numbers, one after the other.
private struct ChecksumText {
    /// No number that a venue means has more.
    private static let maximumScale = 30

    private let buffer: UnsafeMutableRawBufferPointer
    private var count = 0
    private var crc = CRC32()

    init(_ buffer: UnsafeMutableRawBufferPointer) {
        self.buffer = buffer
    }

    mutating func checksum() -> UInt32 {
        self.flush()
        return self.crc.value
    }

    /// - Parameter scale: so many digits after the point; `nil`: as many as it has.
    @inline(__always)
    mutating func write(_ number: ExactDecimal, scale: Int?) {
        if self.buffer.count - self.count < 64 { self.flush() }
        guard let (mantissa, ownScale) = number.compact, let start = self.buffer.baseAddress else {
            return self.write(text: number.description, scale: scale)
        }
        guard mantissa != 0 else { return }
        // Without the point and the zeros before, a number is its mantissa.
        let digits = start.advanced(by: self.count).assumingMemoryBound(to: UInt8.self)
        self.count &+= writeDecimalDigits(mantissa.magnitude, to: digits)
        guard let scale else { return }
        for _ in 0..<max(0, min(scale, Self.maximumScale) - Int(ownScale)) {
            self.buffer[self.count] = UInt8(ascii: "0")
            self.count &+= 1
        }
    }

    /// A number with an exponent, or with very many digits.
    private mutating func write(text: String, scale: Int?) {
        self.flush()
        let parts = text.lowercased().split(separator: "e", maxSplits: 1)
        let places = parts.first?.split(separator: ".", omittingEmptySubsequences: false) ?? []
        var digits = Array(places.joined().utf8.filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let fraction = places.count > 1 ? places[1].utf8.count : 0
        let ownScale = fraction - max(-1000, min(1000, exponent))
        let wanted = min(scale ?? max(0, ownScale), Self.maximumScale)
        digits.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: min(1000, max(0, wanted - ownScale))))
        digits.removeFirst(digits.prefix { $0 == UInt8(ascii: "0") }.count)
        digits.withUnsafeBytes { self.crc.update($0) }
    }

    private mutating func flush() {
        self.crc.update(UnsafeRawBufferPointer(rebasing: self.buffer[0..<self.count]))
        self.count = 0
    }
}
