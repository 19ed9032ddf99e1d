/// Market payloads read out of JSON that anybody may have written: numbers as numbers or text, `null` as absent, extra
/// members passed over. Each initialiser gives `nil` where a required member is missing or of another kind.

extension Trade {
    init?(_ object: JSONObject) {
        // The names were read when the object was.
        guard let symbol = object.symbol else { return nil }
        var price: ExactDecimal?
        var volume: ExactDecimal?
        var timestamp: Timestamp?
        var side: TradeSide?
        var tradeID: TradeID?
        var instrument: InstrumentKind?
        var receivedAt: Timestamp?
        object.scanMembers { field, scanner in
            switch field {
            case .price: scanner.looseNumber(into: &price)
            case .volume: scanner.looseNumber(into: &volume)
            case .timestamp: scanner.looseTimestamp(into: &timestamp)
            case .side: scanner.side(into: &side)
            case .tradeID: scanner.tradeID(into: &tradeID)
            case .instrument: scanner.instrument(into: &instrument)
            case .receivedAt: scanner.looseTimestamp(into: &receivedAt)
            default: scanner.skipValue(depth: 1)
            }
        }
        guard let price, let volume else { return nil }
        self.init(
            symbol: symbol, price: price, volume: volume, timestamp: timestamp, side: side, tradeID: tradeID,
            context: MarketContext(venueSymbol: object.venueSymbol, instrument: instrument, receivedAt: receivedAt))
    }
}

extension Ticker {
    init?(_ object: JSONObject) {
        guard let symbol = object.symbol else { return nil }
        self.init(symbol: symbol)
        self.context.venueSymbol = object.venueSymbol
        object.scanMembers { field, scanner in
            switch field {
            case .price: scanner.looseNumber(into: &self.price)
            case .volume: scanner.looseNumber(into: &self.volume)
            case .bid: scanner.looseNumber(into: &self.bid)
            case .ask: scanner.looseNumber(into: &self.ask)
            case .bidVolume: scanner.looseNumber(into: &self.bidVolume)
            case .askVolume: scanner.looseNumber(into: &self.askVolume)
            case .timestamp: scanner.looseTimestamp(into: &self.timestamp)
            case .instrument: scanner.instrument(into: &self.context.instrument)
            case .receivedAt: scanner.looseTimestamp(into: &self.context.receivedAt)
            default: scanner.skipValue(depth: 1)
            }
        }
    }
}

extension OrderBook {
    init?(_ object: JSONObject) {
        guard let symbol = object.symbol else { return nil }
        var context = MarketContext(venueSymbol: object.venueSymbol)
        var (bids, asks): ([Level]?, [Level]?)
        var (bid, ask, bidVolume, askVolume): (ExactDecimal?, ExactDecimal?, ExactDecimal?, ExactDecimal?)
        var kind: Kind?
        var sequence: UInt64?
        var timestamp: Timestamp?
        object.scanMembers { field, scanner in
            switch field {
            case .bids: scanner.levels(into: &bids)
            case .asks: scanner.levels(into: &asks)
            case .bid: scanner.looseNumber(into: &bid)
            case .ask: scanner.looseNumber(into: &ask)
            case .bidVolume: scanner.looseNumber(into: &bidVolume)
            case .askVolume: scanner.looseNumber(into: &askVolume)
            case .kind: scanner.kind(into: &kind)
            case .sequence: scanner.count(into: &sequence)
            case .timestamp: scanner.looseTimestamp(into: &timestamp)
            case .instrument: scanner.instrument(into: &context.instrument)
            case .receivedAt: scanner.looseTimestamp(into: &context.receivedAt)
            default: scanner.skipValue(depth: 1)
            }
        }
        guard let bids, let asks else { return nil }
        func level(_ price: ExactDecimal?, _ volume: ExactDecimal?) -> Level? {
            guard let price, let volume else { return nil }
            return Level(price: price, volume: volume)
        }
        self.init(
            symbol: symbol, kind: kind ?? .snapshot, bids: bids, asks: asks, bestBid: level(bid, bidVolume),
            bestAsk: level(ask, askVolume), sequence: sequence, timestamp: timestamp, context: context)
    }
}

extension Candle {
    init?(_ object: JSONObject) {
        guard let symbol = object.symbol else { return nil }
        var context = MarketContext(venueSymbol: object.venueSymbol)
        var (open, high, low, close): (ExactDecimal?, ExactDecimal?, ExactDecimal?, ExactDecimal?)
        var volume: ExactDecimal?
        var trades: UInt64?
        var isClosed: Bool?
        var (interval, origin): (Name?, Name?)
        var timestamp: Timestamp?
        object.scanMembers { field, scanner in
            switch field {
            case .open: scanner.looseNumber(into: &open)
            case .high: scanner.looseNumber(into: &high)
            case .low: scanner.looseNumber(into: &low)
            case .close: scanner.looseNumber(into: &close)
            case .volume: scanner.looseNumber(into: &volume)
            case .trades: scanner.count(into: &trades)
            case .closed: scanner.bool(into: &isClosed)
            case .interval: scanner.looseName(into: &interval)
            case .origin: scanner.looseName(into: &origin)
            case .timestamp: scanner.looseTimestamp(into: &timestamp)
            case .instrument: scanner.instrument(into: &context.instrument)
            case .receivedAt: scanner.looseTimestamp(into: &context.receivedAt)
            default: scanner.skipValue(depth: 1)
            }
        }
        guard let open, let high, let low, let close, let volume, let timestamp else { return nil }
        self.init(
            symbol: symbol, interval: interval ?? "", open: open, high: high, low: low, close: close,
            volume: volume, trades: trades, isClosed: isClosed, timestamp: timestamp, origin: origin, context: context)
    }
}
