/// The checksum of IEEE 802.3, which Kraken puts on its books.
///
/// The simulator's own, so that it does not share a mistake with the connector.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
        }
    }

    static func checksum(of bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { value, byte in
            value >> 8 ^ Self.table[Int(truncatingIfNeeded: (value ^ UInt32(byte)) & 0xFF)]
        }
    }

    /// The checksum over the best ten levels of either side: asks from the lowest, then bids from the highest; price
    /// and size without the point and without zeros in front.
    ///
    /// https://docs.kraken.com/api/docs/guides/spot-ws-book-v2
    static func checksum(bids: some Sequence<BookLevel>, asks: some Sequence<BookLevel>) -> UInt32 {
        var bytes: [UInt8] = []
        for level in Array(asks.prefix(10)) + Array(bids.prefix(10)) {
            for number in [level.price, level.size] {
                let digits = number.utf8.filter { $0 != UInt8(ascii: ".") }
                bytes += digits.drop { $0 == UInt8(ascii: "0") }
            }
        }
        return Self.checksum(of: bytes)
    }
}
