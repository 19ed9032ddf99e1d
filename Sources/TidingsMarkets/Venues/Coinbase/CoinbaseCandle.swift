import Tidings

/// A candle as either of Coinbase's interfaces gives it.
struct CoinbaseCandle: Sendable, Equatable {
    /// Seconds since 1970.
    var start: Int64
    var low: ExactDecimal
    var high: ExactDecimal
    var open: ExactDecimal
    var close: ExactDecimal
    var volume: ExactDecimal

    func event(
        _ source: Name, _ symbol: Name, _ venueSymbol: Name, interval: String, isClosed: Bool, _ context: MarketContext
    ) -> StandardEvent? {
        guard let timestamp = Timestamp(seconds: self.start) else { return nil }
        let candle = Candle(
            symbol: symbol, interval: Name(interval), open: self.open, high: self.high, low: self.low,
            close: self.close, volume: self.volume, isClosed: isClosed, timestamp: timestamp, context: context)
        var hash = StableHash()
        source.withUTF8 { hash.combine($0) }
        hash.combine(isClosed ? "ohlcv.closed" : "ohlcv")
        venueSymbol.withUTF8 { hash.combine($0) }
        hash.combine(interval)
        hash.combine(self.start)
        for number in [self.open, self.high, self.low, self.close, self.volume] { hash.combine(number) }
        return StandardEvent(
            eventType: .ohlcv, source: source, payload: .candle(candle), timestamp: timestamp,
            eventID: EventID(at: timestamp, hash: hash))
    }
}

/// Coinbase Exchange's candles.
///
/// Source: https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-candles: at most 300 of
/// these granularities, newest first, as `[time, low, high, open, close, volume]`; intervals without trades have none.
enum CoinbaseCandles {
    static let limit: Int64 = 300
    static let intervals = ["1m", "5m", "15m", "1h", "6h", "1d"]

    static func seconds(_ interval: String) -> Int64? {
        switch interval {
        case "1m": 60
        case "5m": 300
        case "15m": 900
        case "1h": 3600
        case "6h": 21_600
        case "1d": 86_400
        default: nil
        }
    }

    /// Candles that start from `since` on and before `until`, both in seconds since 1970.
    static func target(_ product: String, _ seconds: Int64, since: Int64, until: Int64) -> String {
        // The venue counts the end in.
        let end = max(since, until - 1)
        return "/products/\(product)/candles?granularity=\(seconds)&start=\(Self.text(since))&end=\(Self.text(end))"
    }

    private static func text(_ seconds: Int64) -> String {
        (Timestamp(seconds: seconds) ?? Timestamp(nanoseconds: .max, precision: .seconds)).description
    }

    /// The candles of an answer, in its order; `nil` when it is something else.
    static func read(_ bytes: UnsafeRawBufferPointer) -> [CoinbaseCandle]? {
        do throws(JSONSyntaxError) {
            var reader = JSONReader(bytes)
            guard try reader.kind() == .array else { return nil }
            var candles: [CoinbaseCandle] = []
            try reader.beginArray()
            var isFirst = true
            while try reader.nextElement(isFirst: &isFirst) {
                guard let candle = try Self.readOne(&reader) else { return nil }
                candles.append(candle)
            }
            try reader.expectEnd()
            return candles
        } catch {
            return nil
        }
    }

    private static func readOne(_ reader: inout JSONReader) throws(JSONSyntaxError) -> CoinbaseCandle? {
        guard try reader.kind() == .array else { return nil }
        try reader.beginArray()
        var isFirst = true
        guard try reader.nextElement(isFirst: &isFirst), let time = try reader.count(),
            let start = Int64(exactly: time)
        else { return nil }
        var numbers: [ExactDecimal] = []
        while try reader.nextElement(isFirst: &isFirst) {
            guard let number = try reader.looseNumber() else { return nil }
            if numbers.count < 5 { numbers.append(number) }
        }
        guard numbers.count == 5 else { return nil }
        return CoinbaseCandle(
            start: start, low: numbers[0], high: numbers[1], open: numbers[2], close: numbers[3], volume: numbers[4])
    }
}
