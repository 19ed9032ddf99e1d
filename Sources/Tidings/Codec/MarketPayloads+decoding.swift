/// Market payloads read out of JSON that anybody may have written: numbers as numbers or text, `null` as absent, extra
/// members passed over. Each initialiser gives `nil` where a required member is missing or of another kind.

extension Trade {
    init?(_ object: JSONObject) {
        var fields = MarketFields()
        object.forEachMember { key, reader throws(JSONSyntaxError) in try fields.read(key, &reader) }
        guard let symbol = fields.symbol, let price = fields.price, let volume = fields.volume else { return nil }
        self.init(
            symbol: symbol, price: price, volume: volume, timestamp: fields.timestamp, side: fields.side,
            tradeID: fields.tradeID, context: fields.context)
    }
}

extension Ticker {
    init?(_ object: JSONObject) {
        var fields = MarketFields()
        object.forEachMember { key, reader throws(JSONSyntaxError) in try fields.read(key, &reader) }
        guard let symbol = fields.symbol else { return nil }
        self.init(
            symbol: symbol, price: fields.price, volume: fields.volume, bid: fields.bid, ask: fields.ask,
            bidVolume: fields.bidVolume, askVolume: fields.askVolume, timestamp: fields.timestamp,
            context: fields.context)
    }
}

extension OrderBook {
    init?(_ object: JSONObject) {
        var fields = MarketFields()
        object.forEachMember { key, reader throws(JSONSyntaxError) in try fields.read(key, &reader) }
        guard let symbol = fields.symbol, let bids = fields.bids, let asks = fields.asks else { return nil }
        func level(_ price: ExactDecimal?, _ volume: ExactDecimal?) -> Level? {
            guard let price, let volume else { return nil }
            return Level(price: price, volume: volume)
        }
        self.init(
            symbol: symbol, kind: fields.kind ?? .snapshot, bids: bids, asks: asks,
            bestBid: level(fields.bid, fields.bidVolume), bestAsk: level(fields.ask, fields.askVolume),
            sequence: fields.sequence, timestamp: fields.timestamp, context: fields.context)
    }
}

extension Candle {
    init?(_ object: JSONObject) {
        var fields = MarketFields()
        object.forEachMember { key, reader throws(JSONSyntaxError) in try fields.read(key, &reader) }
        guard let symbol = fields.symbol, let open = fields.open, let high = fields.high, let low = fields.low,
            let close = fields.close, let volume = fields.volume, let timestamp = fields.timestamp
        else { return nil }
        self.init(
            symbol: symbol, interval: fields.interval ?? "", open: open, high: high, low: low, close: close,
            volume: volume, trades: fields.trades, isClosed: fields.isClosed, timestamp: timestamp,
            origin: fields.origin, context: fields.context)
    }
}

/// Every member that a market payload can have.
private struct MarketFields {
    var symbol: Name?
    var price: ExactDecimal?
    var volume: ExactDecimal?
    var timestamp: Timestamp?
    var side: TradeSide?
    var tradeID: TradeID?
    var bid: ExactDecimal?
    var ask: ExactDecimal?
    var bidVolume: ExactDecimal?
    var askVolume: ExactDecimal?
    var bids: [OrderBook.Level]?
    var asks: [OrderBook.Level]?
    var kind: OrderBook.Kind?
    var sequence: UInt64?
    var open: ExactDecimal?
    var high: ExactDecimal?
    var low: ExactDecimal?
    var close: ExactDecimal?
    var trades: UInt64?
    var isClosed: Bool?
    var interval: Name?
    var origin: Name?
    var context = MarketContext()

    mutating func read(_ key: RawJSONString, _ reader: inout JSONReader) throws(JSONSyntaxError) {
        if key.hasEscapes {
            return try key.decoded().withRawUTF8 { bytes throws(JSONSyntaxError) in
                try self.read(RawJSONString(bytes: bytes, hasEscapes: false), &reader)
            }
        }
        switch key.bytes.count {
        case 2 where key.equals("of"): self.origin = try reader.readName()
        case 3 where key.equals("bid"): self.bid = try reader.looseNumber()
        case 3 where key.equals("ask"): self.ask = try reader.looseNumber()
        case 3 where key.equals("low"): self.low = try reader.looseNumber()
        case 4 where key.equals("side"):
            self.side = try reader.readName().flatMap { TradeSide(rawValue: $0.description) }
        case 4 where key.equals("bids"): self.bids = try reader.levels()
        case 4 where key.equals("asks"): self.asks = try reader.levels()
        case 4 where key.equals("kind"):
            self.kind = try reader.readName().flatMap { OrderBook.Kind(rawValue: $0.description) }
        case 4 where key.equals("open"): self.open = try reader.looseNumber()
        case 4 where key.equals("high"): self.high = try reader.looseNumber()
        case 5 where key.equals("price"): self.price = try reader.looseNumber()
        case 5 where key.equals("close"): self.close = try reader.looseNumber()
        case 6 where key.equals("symbol"): self.symbol = try reader.readName()
        case 6 where key.equals("volume"): self.volume = try reader.looseNumber()
        case 6 where key.equals("trades"): self.trades = try reader.count()
        case 6 where key.equals("closed"):
            if try reader.kind() == .bool { self.isClosed = try reader.readBool() } else { try reader.skipValue() }
        case 8 where key.equals("trade_id"): self.tradeID = try reader.tradeID()
        case 8 where key.equals("interval"): self.interval = try reader.readName()
        case 8 where key.equals("sequence"): self.sequence = try reader.count()
        case 9 where key.equals("timestamp"): self.timestamp = try reader.looseTimestamp()
        case 10 where key.equals("instrument"):
            self.context.instrument = try reader.readName().flatMap { InstrumentKind(rawValue: $0.description) }
        case 10 where key.equals("bid_volume"): self.bidVolume = try reader.looseNumber()
        case 10 where key.equals("ask_volume"): self.askVolume = try reader.looseNumber()
        case 11 where key.equals("received_at"): self.context.receivedAt = try reader.looseTimestamp()
        case 12 where key.equals("venue_symbol"): self.context.venueSymbol = try reader.readName()
        default: try reader.skipValue()
        }
    }
}

extension JSONReader {
    /// A number, or a text that holds one; anything else is passed over.
    package mutating func looseNumber() throws(JSONSyntaxError) -> ExactDecimal? {
        switch try self.kind() {
        case .number: return try self.readNumber()
        case .string: return try self.readString().withUTF8 { ExactDecimal(bytes: $0) }
        default:
            try self.skipValue()
            return nil
        }
    }

    /// A whole number that is not negative, as a number or a text; anything else is passed over.
    package mutating func count() throws(JSONSyntaxError) -> UInt64? {
        switch try self.kind() {
        case .number: return UInt64(String(decoding: try self.readNumberBytes(), as: UTF8.self))
        case .string: return UInt64(try self.readString().decoded())
        default:
            try self.skipValue()
            return nil
        }
    }

    fileprivate mutating func tradeID() throws(JSONSyntaxError) -> TradeID? {
        switch try self.kind() {
        case .number: return TradeID(String(decoding: try self.readNumberBytes(), as: UTF8.self))
        case .string: return TradeID(try self.readString().decoded())
        default:
            try self.skipValue()
            return nil
        }
    }

    /// A date as text or a Unix number; anything else is passed over.
    package mutating func looseTimestamp() throws(JSONSyntaxError) -> Timestamp? {
        switch try self.kind() {
        case .number: return Timestamp(unix: try self.readNumber())
        case .string: return try self.readString().withUTF8 { Timestamp(bytes: $0) }
        default:
            try self.skipValue()
            return nil
        }
    }

    fileprivate mutating func levels() throws(JSONSyntaxError) -> [OrderBook.Level]? {
        guard try self.kind() == .array else {
            try self.skipValue()
            return nil
        }
        var levels: [OrderBook.Level] = []
        var isWellFormed = true
        try self.beginArray()
        var isFirst = true
        while try self.nextElement(isFirst: &isFirst) {
            guard try self.kind() == .array else {
                try self.skipValue()
                isWellFormed = false
                continue
            }
            try self.beginArray()
            var numbers: [ExactDecimal?] = []
            var isFirstNumber = true
            while try self.nextElement(isFirst: &isFirstNumber) {
                numbers.append(try self.looseNumber())
            }
            if numbers.count >= 2, let price = numbers[0], let volume = numbers[1] {
                levels.append(OrderBook.Level(price: price, volume: volume))
            } else {
                isWellFormed = false
            }
        }
        return isWellFormed ? levels : nil
    }
}
