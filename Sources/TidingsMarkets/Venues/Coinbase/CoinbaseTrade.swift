import Tidings

/// A trade as either of Coinbase's interfaces tells of it, in a feed or in an answer.
struct CoinbaseTrade: Sendable, Equatable {
    var number: UInt64
    var price: ExactDecimal
    var size: ExactDecimal
    var time: Timestamp
    /// The taker's.
    var side: TradeSide?

    /// The same trade makes the same event, wherever it is read.
    func event(_ source: Name, _ symbol: Name, _ venueSymbol: Name, _ context: MarketContext) -> StandardEvent {
        var hash = StableHash()
        source.withUTF8 { hash.combine($0) }
        hash.combine("trade")
        venueSymbol.withUTF8 { hash.combine($0) }
        hash.combine(self.time.nanoseconds)
        hash.combine(self.number)
        return StandardEvent(
            eventType: .trade, source: source,
            payload: .trade(
                Trade(
                    symbol: symbol, price: self.price, volume: self.size, timestamp: self.time, side: self.side,
                    tradeID: TradeID(self.number), context: context)),
            timestamp: self.time, eventID: EventID(at: self.time, hash: hash))
    }
}

extension JSONReader {
    /// An object with `trade_id`, `price`, `size`, `time` and the maker's `side`; `nil` when one of them is missing.
    mutating func coinbaseTrade() throws(JSONSyntaxError) -> (trade: CoinbaseTrade, product: RawJSONString?)? {
        guard try self.kind() == .object else {
            try self.skipValue()
            return nil
        }
        var number: UInt64?
        var (price, size): (ExactDecimal?, ExactDecimal?)
        var time: Timestamp?
        var side: TradeSide?
        var product: RawJSONString?
        try self.beginObject()
        var isFirst = true
        while let key = try self.nextKey(isFirst: &isFirst) {
            switch key.bytes.count {
            case 4 where key.equals("time"): time = try self.looseTimestamp()
            case 4 where key.equals("side"): side = try self.looseText { CoinbaseSide.taker(ofMaker: $0) } ?? nil
            case 4 where key.equals("size"): size = try self.looseNumber()
            case 5 where key.equals("price"): price = try self.looseNumber()
            case 8 where key.equals("trade_id"): number = try self.count()
            case 10 where key.equals("product_id"): product = try self.looseText { $0 }
            default: try self.skipValue()
            }
        }
        guard let number, let price, let size, let time else { return nil }
        return (CoinbaseTrade(number: number, price: price, size: size, time: time, side: side), product)
    }

    /// A list of trades; `nil` when one of them is none.
    mutating func coinbaseTrades() throws(JSONSyntaxError) -> [CoinbaseTrade]? {
        guard try self.kind() == .array else {
            try self.skipValue()
            return nil
        }
        var trades: [CoinbaseTrade] = []
        var areTrades = true
        try self.beginArray()
        var isFirst = true
        while try self.nextElement(isFirst: &isFirst) {
            if let (trade, _) = try self.coinbaseTrade() { trades.append(trade) } else { areTrades = false }
        }
        return areTrades ? trades : nil
    }
}

extension StableHash {
    /// The numbers of a ticker.
    mutating func combine(_ ticker: Ticker) {
        self.combine(ticker.price)
        self.combine(ticker.volume)
        self.combine(ticker.bid)
        self.combine(ticker.ask)
        self.combine(ticker.bidVolume)
        self.combine(ticker.askVolume)
    }
}
