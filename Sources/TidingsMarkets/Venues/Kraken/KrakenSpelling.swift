/// How Kraken and we spell what is traded.
///
/// Version 2 of the feed names markets `BTC/USD`. Version 1 and the REST interface call the same one `XBT/USD`, `XBTUSD`
/// and `XXBTZUSD`, and DOGE is XDG there. Source: https://docs.kraken.com/exchange/api-reference/spot-websocket.
enum KrakenSpelling {
    /// Old names and the ones that version 2 uses.
    private static let renamed = ["XBT": "BTC", "XDG": "DOGE"]

    /// Assets of four letters in the oldest pair names, where an X stands before a coin and a Z before a currency.
    private static let prefixed: Set<String> = [
        "XXBT", "XETH", "XLTC", "XXRP", "XXDG", "XXLM", "XXMR", "XETC", "XREP", "XZEC", "XMLN", "ZUSD", "ZEUR", "ZGBP",
        "ZCAD", "ZJPY", "ZAUD",
    ]

    /// What a pair without a separator may end in; the longer ones first. TUSD is none, as `XBTUSD` is no pair of it.
    private static let quotes = [
        "PYUSD", "RLUSD", "USDT", "USDC", "USDG", "USDQ", "USDR", "EURT", "EURC", "EURQ", "EURR", "DAI", "USD",
        "EUR", "GBP", "CAD", "JPY", "CHF", "AUD", "AED", "XBT", "BTC", "ETH", "DOT", "POL",
    ]

    /// A pair in any of the spellings.
    ///
    /// - Returns: base and quote as version 2 names them; `nil` for what cannot be a pair.
    static func pair(_ name: String) -> (base: String, quote: String)? {
        // Some names have small letters that mean something (`AAPLx`): only a text without capitals is changed.
        let text =
            name.utf8.contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) } ? name : name.uppercased()
        guard text.utf8.count <= 32 else { return nil }
        let parts = text.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "-" }
        switch parts.count {
        case 1: return Self.split(text)
        case 2:
            guard Self.isAsset(parts[0]), Self.isAsset(parts[1]) else { return nil }
            return (Self.current(String(parts[0])), Self.current(String(parts[1])))
        default: return nil
        }
    }

    /// The name that version 2 has for an asset.
    static func current(_ asset: String) -> String { Self.renamed[asset] ?? asset }

    /// The name that version 1 and the REST interface have for an asset.
    static func old(_ asset: String) -> String {
        Self.renamed.first { $0.value == asset }?.key ?? asset
    }

    /// Every spelling that the feed may use for `BASE/QUOTE`, the one of version 2 first.
    static func wireNames(of venueSymbol: String) -> [String] {
        let parts = venueSymbol.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return [venueSymbol] }
        var names: [String] = []
        for base in [parts[0], Self.old(parts[0])] {
            for quote in [parts[1], Self.old(parts[1])] where !names.contains("\(base)/\(quote)") {
                names.append("\(base)/\(quote)")
            }
        }
        return names
    }

    /// The pair as REST requests name it: `XBTUSD`.
    static func restName(of venueSymbol: String) -> String {
        venueSymbol.split(separator: "/").map { Self.old(String($0)) }.joined()
    }

    private static func split(_ text: String) -> (base: String, quote: String)? {
        guard Self.isAsset(text[...]) else { return nil }
        if text.count == 8, Self.prefixed.contains(String(text.prefix(4))),
            Self.prefixed.contains(String(text.suffix(4)))
        {
            return (Self.current(String(text.prefix(4).dropFirst())), Self.current(String(text.suffix(3))))
        }
        guard let quote = Self.quotes.first(where: { text.hasSuffix($0) && text.count > $0.count }) else { return nil }
        return (Self.current(String(text.dropLast(quote.count))), Self.current(quote))
    }

    private static func isAsset(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ".")
            }
    }
}
