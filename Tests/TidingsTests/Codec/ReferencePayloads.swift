import Tidings

/// Market payloads read the plain way, member by member out of JSON values: what the quick readers are held against.
enum ReferencePayloads {
    private static func number(_ value: JSONValue?) -> ExactDecimal? {
        value?.number ?? value?.string.flatMap { ExactDecimal($0) }
    }

    private static func time(_ value: JSONValue?) -> Timestamp? {
        value?.number.flatMap { Timestamp(unix: $0) } ?? value?.string.flatMap { Timestamp($0) }
    }

    private static func count(_ value: JSONValue?) -> UInt64? {
        (value?.number?.description ?? value?.string).flatMap { UInt64($0) }
    }

    private static func name(_ value: JSONValue?) -> Name? {
        value?.string.map { Name($0) }
    }

    private static func context(_ object: JSONObject) -> MarketContext {
        MarketContext(
            venueSymbol: self.name(object["venue_symbol"]),
            instrument: object["instrument"]?.string.flatMap { InstrumentKind(rawValue: $0) },
            receivedAt: self.time(object["received_at"]))
    }

    static func trade(_ object: JSONObject) -> Trade? {
        guard let symbol = self.name(object["symbol"]), let price = self.number(object["price"]),
            let volume = self.number(object["volume"])
        else { return nil }
        return Trade(
            symbol: symbol, price: price, volume: volume, timestamp: self.time(object["timestamp"]),
            side: object["side"]?.string.flatMap { TradeSide(rawValue: $0) },
            tradeID: (object["trade_id"]?.number?.description ?? object["trade_id"]?.string).map { TradeID($0) },
            context: self.context(object))
    }

    static func ticker(_ object: JSONObject) -> Ticker? {
        guard let symbol = self.name(object["symbol"]) else { return nil }
        return Ticker(
            symbol: symbol, price: self.number(object["price"]), volume: self.number(object["volume"]),
            bid: self.number(object["bid"]), ask: self.number(object["ask"]),
            bidVolume: self.number(object["bid_volume"]), askVolume: self.number(object["ask_volume"]),
            timestamp: self.time(object["timestamp"]), context: self.context(object))
    }

    private static func levels(_ value: JSONValue?) -> [OrderBook.Level]? {
        guard let rows = value?.array else { return nil }
        let levels = rows.map { row -> OrderBook.Level? in
            guard let row = row.array, row.count >= 2, let price = self.number(row[0]),
                let volume = self.number(row[1])
            else { return nil }
            return OrderBook.Level(price: price, volume: volume)
        }
        return levels.contains { $0 == nil } ? nil : levels.compactMap { $0 }
    }

    static func orderBook(_ object: JSONObject) -> OrderBook? {
        guard let symbol = self.name(object["symbol"]), let bids = self.levels(object["bids"]),
            let asks = self.levels(object["asks"])
        else { return nil }
        func best(_ side: String) -> OrderBook.Level? {
            guard let price = self.number(object[side]), let volume = self.number(object[side + "_volume"]) else {
                return nil
            }
            return OrderBook.Level(price: price, volume: volume)
        }
        return OrderBook(
            symbol: symbol, kind: object["kind"]?.string.flatMap { OrderBook.Kind(rawValue: $0) } ?? .snapshot,
            bids: bids, asks: asks, bestBid: best("bid"), bestAsk: best("ask"),
            sequence: self.count(object["sequence"]), timestamp: self.time(object["timestamp"]),
            context: self.context(object))
    }

    static func candle(_ object: JSONObject) -> Candle? {
        guard let symbol = self.name(object["symbol"]), let open = self.number(object["open"]),
            let high = self.number(object["high"]), let low = self.number(object["low"]),
            let close = self.number(object["close"]), let volume = self.number(object["volume"]),
            let timestamp = self.time(object["timestamp"])
        else { return nil }
        return Candle(
            symbol: symbol, interval: self.name(object["interval"]) ?? "", open: open, high: high, low: low,
            close: close, volume: volume, trades: self.count(object["trades"]), isClosed: object["closed"]?.bool,
            timestamp: timestamp, origin: self.name(object["of"]), context: self.context(object))
    }
}
