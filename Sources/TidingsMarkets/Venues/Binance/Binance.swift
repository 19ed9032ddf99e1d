import Tidings

/// The Binance spot exchange: market data only, without an account.
///
/// Source: https://github.com/binance/binance-spot-api-docs (web-socket-streams.md, rest-api.md, faqs/market_data_only.md)
public struct Binance: Venue {
    public let name = "binance"
    /// The server for market data alone; it has every stream that `stream.binance.com:9443` has, but no accounts. Under
    /// `/stream` frames name their stream, which partial books need.
    public let endpoint = "wss://data-stream.binance.vision/stream"
    /// Serves public market data without a key. `historicalTrades`, by which lost trades are had by their numbers, is not
    /// on its documented list: where it is refused, ``BinanceSession`` makes do with the latest thousand.
    public let rest = "https://data-api.binance.vision"

    /// Streams that one connection can have (web-socket-streams.md, "WebSocket Limits"). What does not fit is left out
    /// and told of.
    static let maximumStreams = 1024

    public init() {}

    public var limits: VenueLimits {
        var limits = VenueLimits()
        // Five incoming messages a second, pongs among them; who sends more is disconnected, and banned in the end.
        limits.messagesPerSecond = 4
        limits.messageBurst = 1
        // REQUEST_WEIGHT of `GET /api/v3/exchangeInfo`: 6,000 a minute for an address.
        limits.requestWeight = 6000
        limits.requestInterval = .seconds(60)
        limits.requestSpacing = .milliseconds(150)
        // "A single connection is only valid for 24 hours; expect to be disconnected at the 24 hour mark."
        limits.connectionLife = .seconds(24 * 60 * 60)
        // The server pings every 20 s.
        limits.silence = .seconds(60)
        return limits
    }

    public func makeSession(_ plan: FeedPlan) -> any VenueSession {
        BinanceSession(plan)
    }

    // MARK: Symbols

    public var instrumentsRequest: VenueRequest {
        VenueRequest(
            .instruments, .get, "/api/v3/exchangeInfo?symbolStatus=TRADING&showPermissionSets=false", weight: 20)
    }

    public func instruments(from answer: UnsafeRawBufferPointer) throws(VenueError) -> [Instrument] {
        try BinanceExchangeInfo.read(answer)
    }

    /// `BTC-USDT` says what is base and what is quote; `BTCUSDT` is cut before the longest known quote asset that it
    /// ends with.
    public func instrument(named name: String) -> Instrument? {
        let name = name.uppercased()
        guard name.utf8.count <= 40, name.utf8.allSatisfy(Self.isAllowed) else { return nil }
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        if parts.count == 2, !parts[0].isEmpty, parts[1].utf8.count >= 2 {
            return Instrument(symbol: name, venueSymbol: parts.joined())
        }
        guard parts.count == 1,
            let quote = Self.quoteAssets.first(where: { name.hasSuffix($0) && name.utf8.count > $0.utf8.count })
        else { return nil }
        return Instrument(symbol: "\(name.dropLast(quote.count))-\(quote)", venueSymbol: name)
    }

    /// Capitals, digits, and what is beyond ASCII: a few assets are named in Chinese.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: byte >= 0x80
        }
    }

    /// What spot pairs are or were quoted in, the longest first.
    private static let quoteAssets = [
        "FDUSD", "IDRT", "BIDR", "BVND", "BKRW", "USDT", "USDC", "TUSD", "BUSD", "USDP", "USDS", "USD1", "AEUR", "EURI",
        "DOGE", "BTC", "ETH", "BNB", "SOL", "EUR", "GBP", "TRY", "BRL", "AUD", "JPY", "MXN", "ARS", "COP", "CZK", "PLN",
        "RON", "UAH", "ZAR", "RUB", "NGN", "IDR", "USD", "XRP", "TRX", "DOT", "DAI", "PAX", "VAI", "UST",
    ]
}

/// What `GET /api/v3/exchangeInfo` says, read in one pass.
enum BinanceExchangeInfo {
    static func read(_ answer: UnsafeRawBufferPointer) throws(VenueError) -> [Instrument] {
        var reader = JSONReader(answer)
        var instruments: [Instrument]?
        do throws(JSONSyntaxError) {
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                if key.equals("symbols"), try reader.kind() == .array {
                    instruments = try Self.readSymbols(&reader)
                } else {
                    try reader.skipValue()
                }
            }
            try reader.expectEnd()
        } catch {
            throw VenueError(.unreadable, "binance: the list of symbols: \(error.message)")
        }
        guard let instruments else { throw VenueError(.unreadable, "binance: an answer without a list of symbols") }
        return instruments
    }

    private static func readSymbols(_ reader: inout JSONReader) throws(JSONSyntaxError) -> [Instrument] {
        var instruments: [Instrument] = []
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(isFirst: &isFirst) {
            guard try reader.kind() == .object else {
                try reader.skipValue()
                continue
            }
            if let instrument = try Self.readSymbol(&reader) { instruments.append(instrument) }
        }
        return instruments
    }

    /// `nil` for what cannot be traded now, or not on the spot market.
    private static func readSymbol(_ reader: inout JSONReader) throws(JSONSyntaxError) -> Instrument? {
        var (symbol, base, quote): (String?, String?, String?)
        var (isTrading, isSpot) = (true, true)
        var (priceScale, sizeScale): (Int?, Int?)
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.equals("symbol") {
                symbol = try Self.text(&reader)
            } else if key.equals("status") {
                isTrading = try Self.text(&reader) == "TRADING"
            } else if key.equals("baseAsset") {
                base = try Self.text(&reader)
            } else if key.equals("quoteAsset") {
                quote = try Self.text(&reader)
            } else if key.equals("isSpotTradingAllowed"), try reader.kind() == .bool {
                isSpot = try reader.readBool()
            } else if key.equals("filters"), try reader.kind() == .array {
                (priceScale, sizeScale) = try Self.readFilters(&reader)
            } else {
                try reader.skipValue()
            }
        }
        guard isTrading, isSpot, let symbol, let base, let quote, !symbol.isEmpty, !base.isEmpty, !quote.isEmpty else {
            return nil
        }
        return Instrument(
            symbol: "\(base)-\(quote)".uppercased(), venueSymbol: symbol, priceScale: priceScale, sizeScale: sizeScale)
    }

    /// The digits of the tick and step sizes of `PRICE_FILTER` and `LOT_SIZE`.
    private static func readFilters(
        _ reader: inout JSONReader
    ) throws(JSONSyntaxError) -> (priceScale: Int?, sizeScale: Int?) {
        var scales: (priceScale: Int?, sizeScale: Int?)
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(isFirst: &isFirst) {
            guard try reader.kind() == .object else {
                try reader.skipValue()
                continue
            }
            var type: String?
            var (tick, step): (ExactDecimal?, ExactDecimal?)
            try reader.beginObject()
            var isFirstMember = true
            while let key = try reader.nextKey(isFirst: &isFirstMember) {
                if key.equals("filterType") {
                    type = try Self.text(&reader)
                } else if key.equals("tickSize") {
                    tick = try reader.looseNumber()
                } else if key.equals("stepSize") {
                    step = try reader.looseNumber()
                } else {
                    try reader.skipValue()
                }
            }
            if type == "PRICE_FILTER" { scales.priceScale = tick.flatMap(Self.scale) }
            if type == "LOT_SIZE" { scales.sizeScale = step.flatMap(Self.scale) }
        }
        return scales
    }

    /// The digits after the point, without the zeros at the end: 2 for `0.01000000`.
    private static func scale(of step: ExactDecimal) -> Int? {
        guard case (var mantissa, let scale)? = step.compact, mantissa > 0 else { return nil }
        var digits = Int(scale)
        while digits > 0, mantissa % 10 == 0 {
            mantissa /= 10
            digits -= 1
        }
        return digits
    }

    private static func text(_ reader: inout JSONReader) throws(JSONSyntaxError) -> String? {
        guard try reader.kind() == .string else {
            try reader.skipValue()
            return nil
        }
        return try reader.readString().decoded()
    }
}
