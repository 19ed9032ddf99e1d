import Tidings

/// Reads what is traded from either of Coinbase's lists of products.
///
/// Source: https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-all-known-trading-pairs (`id`)
/// and .../advanced-trade-api/rest-api/public/list-public-products (`products` of `product_id`).
enum CoinbaseProducts {
    static func read(_ answer: UnsafeRawBufferPointer, venue: String) throws(VenueError) -> [Instrument] {
        do throws(JSONSyntaxError) {
            var reader = JSONReader(answer)
            if try reader.kind() == .array { return try Self.readList(&reader) }
            var found: [Instrument]?
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                if key.equals("products"), try reader.kind() == .array {
                    found = try Self.readList(&reader)
                } else {
                    try reader.skipValue()
                }
            }
            if let found { return found }
        } catch {
            throw VenueError(.unreadable, "\(venue): the list of products is unreadable: \(error.message)")
        }
        throw .noSense(venue, "products", answer)
    }

    private static func readList(_ reader: inout JSONReader) throws(JSONSyntaxError) -> [Instrument] {
        var instruments: [Instrument] = []
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(isFirst: &isFirst) {
            guard try reader.kind() == .object else {
                try reader.skipValue()
                continue
            }
            if let instrument = try Self.readProduct(&reader) { instruments.append(instrument) }
        }
        return instruments
    }

    /// `nil` for what is not traded now, or is no spot market.
    private static func readProduct(_ reader: inout JSONReader) throws(JSONSyntaxError) -> Instrument? {
        var name: String?
        var (base, quote): (ExactDecimal?, ExactDecimal?)
        var isTraded = true
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.equals("id") || key.equals("product_id") {
                name = try reader.looseText { $0.decoded() }
            } else if key.equals("base_increment") {
                base = try reader.looseNumber()
            } else if key.equals("quote_increment") {
                quote = try reader.looseNumber()
            } else if key.equals("status") {
                if try reader.looseText({ $0.equals("online") || $0.bytes.isEmpty }) == false { isTraded = false }
            } else if key.equals("product_type") {
                if try reader.looseText({ $0.equals("SPOT") }) == false { isTraded = false }
            } else if key.equals("trading_disabled") || key.equals("is_disabled") {
                if try reader.kind() == .bool {
                    if try reader.readBool() { isTraded = false }
                } else {
                    try reader.skipValue()
                }
            } else {
                try reader.skipValue()
            }
        }
        guard isTraded, let name, let known = CoinbaseSymbol.resolve(name) else { return nil }
        return Instrument(
            symbol: known.symbol, venueSymbol: name, priceScale: CoinbaseSymbol.scale(of: quote),
            sizeScale: CoinbaseSymbol.scale(of: base))
    }
}
