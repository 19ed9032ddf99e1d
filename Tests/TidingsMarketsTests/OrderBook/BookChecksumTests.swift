import Testing
import TidingsSimulation

@testable import Tidings
@testable import TidingsMarkets

@Suite struct BookChecksumTests {
    private static let asks = """
        45285.2 0.00100000, 45286.4 1.54571953, 45286.6 1.54571109, 45289.6 1.54560911, 45290.2 0.15890660, \
        45291.8 1.54553491, 45294.7 0.04454749, 45296.1 0.35380000, 45297.5 0.09945542, 45299.5 0.18772827
        """
    private static let bids = """
        45283.5 0.10000000, 45283.4 1.54582015, 45282.1 0.10000000, 45281.0 0.10000000, 45280.3 1.54592586, \
        45279.0 0.07990000, 45277.6 0.03310103, 45277.5 0.30000000, 45277.3 1.54602737, 45276.6 0.15445238
        """

    private func levels(_ text: String, _ change: (Substring) -> String = { String($0) }) -> [OrderBook.Level] {
        text.split(separator: ", ").compactMap { level in
            let parts = level.split(separator: " ")
            guard let price = ExactDecimal(change(parts[0])), let size = ExactDecimal(change(parts[1])) else {
                return nil
            }
            return OrderBook.Level(price: price, volume: size)
        }
    }

    @Test func `Kraken's documented book has its documented checksum`() {
        var book = LocalBook(bids: self.levels(Self.bids), asks: self.levels(Self.asks))
        #expect(book.checksum() == 3_310_070_434)
        #expect(book.checksum(priceScale: 1, sizeScale: 8) == 3_310_070_434)
        // What is beyond the ten best does not count.
        book.set(.bid, price: 1, size: 1)
        book.set(.ask, price: 99_999, size: 1)
        #expect(book.checksum() == 3_310_070_434)
        book.set(.ask, price: ExactDecimal(mantissa: 452852, scale: 1), size: 1)
        #expect(book.checksum() != 3_310_070_434)
    }

    @Test func `zeros that were left out come back with the instrument's digits`() {
        func short(_ number: Substring) -> String {
            var text = String(number)
            while text.hasSuffix("0") { text.removeLast() }
            if text.hasSuffix(".") { text.removeLast() }
            return text
        }
        let book = LocalBook(bids: self.levels(Self.bids, short), asks: self.levels(Self.asks, short))
        #expect(book.checksum() != 3_310_070_434)
        #expect(book.checksum(priceScale: 1, sizeScale: 8) == 3_310_070_434)
    }

    @Test func `a number with an exponent counts with its digits`() {
        func exponential(_ number: Substring) -> String {
            let parts = number.split(separator: ".")
            return "\(Int(parts[0] + parts[1]) ?? 0)e-\(parts[1].count)"
        }
        let book = LocalBook(bids: self.levels(Self.bids, exponential), asks: self.levels(Self.asks, exponential))
        #expect(book.checksum() == 3_310_070_434)
        #expect(book.checksum(priceScale: 1, sizeScale: 8) == 3_310_070_434)
    }

    @Test func `CRC-32 is that of IEEE 802-3, in whatever pieces the bytes come`() {
        var check = CRC32()
        "123456789".withRawUTF8 { check.update($0) }
        #expect(check.value == 0xCBF4_3926)
        #expect(CRC32().value == 0)
        var random = SeededGenerator(seed: 4)
        for count in 0..<64 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var (whole, pieces) = (CRC32(), CRC32())
            bytes.withUnsafeBytes { whole.update($0) }
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(1 + Int(random.next() % 11)))
                rest = rest.dropFirst(piece.count)
                piece.withUnsafeBytes { pieces.update($0) }
            }
            // Bit by bit, as the polynomial says.
            var bits: UInt32 = .max
            for byte in bytes {
                bits ^= UInt32(byte)
                for _ in 0..<8 { bits = bits & 1 == 0 ? bits >> 1 : bits >> 1 ^ 0xEDB8_8320 }
            }
            #expect(whole.value == ~bits)
            #expect(pieces.value == ~bits)
        }
    }
}
