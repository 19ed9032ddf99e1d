import Tidings

/// How Coinbase spells its products, on both of its interfaces: `BASE-QUOTE` in capitals, as we do.
enum CoinbaseSymbol {
    /// So many letters and digits make one half of a name; the longest known has twelve.
    private static let longestPart = 16

    /// The product of a name in whatever case; `nil` for what cannot be one.
    static func resolve(_ name: String) -> Instrument? {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy(Self.isCurrency) else { return nil }
        let symbol = name.uppercased()
        return Instrument(symbol: symbol, venueSymbol: symbol)
    }

    private static func isCurrency(_ part: Substring) -> Bool {
        (1...Self.longestPart).contains(part.utf8.count)
            && part.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }

    /// The digits after the point that an increment such as `0.01000` or `1` allows.
    static func scale(of increment: ExactDecimal?) -> Int? {
        guard var (mantissa, scale) = increment?.compact, mantissa > 0 else { return nil }
        while scale > 0, mantissa % 10 == 0 {
            mantissa /= 10
            scale -= 1
        }
        return Int(scale)
    }
}
