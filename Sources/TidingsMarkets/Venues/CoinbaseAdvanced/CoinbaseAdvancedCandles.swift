import Tidings

/// Advanced Trade's candles over REST.
///
/// Source: https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/get-public-product-candles: at
/// most 350 of these granularities, between two Unix times.
enum CoinbaseAdvancedCandles {
    static let limit: Int64 = 300
    static let intervals = ["1m", "5m", "15m", "30m", "1h", "2h", "6h", "1d"]

    static func granularity(_ interval: String) -> (seconds: Int64, name: String)? {
        switch interval {
        case "1m": (60, "ONE_MINUTE")
        case "5m": (300, "FIVE_MINUTE")
        case "15m": (900, "FIFTEEN_MINUTE")
        case "30m": (1800, "THIRTY_MINUTE")
        case "1h": (3600, "ONE_HOUR")
        case "2h": (7200, "TWO_HOUR")
        case "6h": (21_600, "SIX_HOUR")
        case "1d": (86_400, "ONE_DAY")
        default: nil
        }
    }

    /// Candles that start from `since` on and before `until`, both in seconds since 1970.
    static func target(_ product: String, _ granularity: String, since: Int64, until: Int64) -> String {
        "\(CoinbaseAdvanced.products)/\(product)/candles?start=\(since)&end=\(max(since, until - 1))"
            + "&granularity=\(granularity)&limit=\(Self.limit)"
    }

    /// The candles of an answer, in its order; `nil` when it is something else.
    static func read(_ bytes: UnsafeRawBufferPointer) -> [CoinbaseCandle]? {
        do throws(JSONSyntaxError) {
            var reader = JSONReader(bytes)
            var candles: [CoinbaseCandle]?
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                guard key.equals("candles"), try reader.kind() == .array else {
                    try reader.skipValue()
                    continue
                }
                let list = try reader.advancedCandles()
                candles = list.compactMap(\.candle)
                guard candles?.count == list.count else { return nil }
            }
            try reader.expectEnd()
            return candles
        } catch {
            return nil
        }
    }

    /// The trades of an answer from `/ticker`; `nil` when it is something else.
    static func readTrades(_ bytes: UnsafeRawBufferPointer) -> [CoinbaseTrade]? {
        do throws(JSONSyntaxError) {
            var reader = JSONReader(bytes)
            var trades: [CoinbaseTrade]?
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                if key.equals("trades") { trades = try reader.coinbaseTrades() } else { try reader.skipValue() }
            }
            try reader.expectEnd()
            return trades
        } catch {
            return nil
        }
    }
}
