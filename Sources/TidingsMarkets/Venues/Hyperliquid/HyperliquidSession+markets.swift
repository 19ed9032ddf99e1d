import Tidings

/// The channels beside trades and books: best prices, the asset's context, candles; and the venue's answers.
extension HyperliquidSession {
    func readBBO(
        _ reader: inout JSONReader, _ frame: UnsafeRawBufferPointer, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        var fields = HyperliquidFields()
        try fields.read(&reader)
        guard let coin = fields.coin, let known = self.coins[coin] else { return }
        output.hear(0)
        guard let time = fields.time, let timestamp = Timestamp(milliseconds: time), fields.best.count == 2 else {
            output.problems.append(.unreadable(frame, "a bbo without time or prices"))
            return
        }
        let ticker = Ticker(
            symbol: known.symbol, bid: fields.best[0]?.price, ask: fields.best[1]?.price,
            bidVolume: fields.best[0]?.volume, askVolume: fields.best[1]?.volume, timestamp: timestamp,
            context: known.context(receivedAt))
        var hash = Self.hash("hyperliquid.bbo", coin, time)
        for level in fields.best {
            hash.combine(level?.price)
            hash.combine(level?.volume)
        }
        output.events.append(
            StandardEvent(
                eventType: .ticker, source: Self.source, payload: .ticker(ticker), timestamp: timestamp,
                eventID: EventID(at: timestamp, hash: hash)))
    }

    /// The frame has no time of its own: the envelope has that of receipt, the payload none.
    func readAssetContext(
        _ reader: inout JSONReader, _ frame: UnsafeRawBufferPointer, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        var fields = HyperliquidFields()
        try fields.read(&reader)
        guard let coin = fields.coin, let known = self.coins[coin] else { return }
        output.hear(0)
        guard let price = fields.markPrice else {
            output.problems.append(.unreadable(frame, "an asset context without a mark price"))
            return
        }
        func id(_ kind: String, _ numbers: ExactDecimal?...) -> EventID {
            var hash = Self.hash(kind, coin, receivedAt.nanoseconds)
            for number in numbers { hash.combine(number) }
            return EventID(at: receivedAt, hash: hash)
        }
        let ticker = Ticker(
            symbol: known.symbol, price: price, volume: fields.dayBaseVolume, context: known.context(receivedAt))
        output.events.append(
            StandardEvent(
                eventType: .ticker, source: Self.source, payload: .ticker(ticker), timestamp: receivedAt,
                eventID: id("hyperliquid.ticker", price, fields.dayBaseVolume)))
        if let funding = fields.funding {
            output.events.append(
                known.single(.funding, "rate", funding, at: receivedAt, id("hyperliquid.funding", funding)))
        }
        if let interest = fields.openInterest {
            output.events.append(
                known.single(.openInterest, "value", interest, at: receivedAt, id("hyperliquid.interest", interest)))
        }
    }

    /// One candle or a list of them. The venue never says that a candle is closed: it is when the next one starts.
    mutating func readCandles(
        _ reader: inout JSONReader, _ frame: UnsafeRawBufferPointer, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        guard try reader.kind() == .array else {
            return try self.readCandle(&reader, frame, at: receivedAt, into: &output)
        }
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(isFirst: &isFirst) {
            try self.readCandle(&reader, frame, at: receivedAt, into: &output)
        }
    }

    private mutating func readCandle(
        _ reader: inout JSONReader, _ frame: UnsafeRawBufferPointer, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        var fields = HyperliquidFields()
        try fields.read(&reader)
        guard let coin = fields.symbol, let known = self.coins[coin] else { return }
        output.hear(0)
        guard let interval = fields.interval, let start = fields.start, let timestamp = Timestamp(milliseconds: start),
            let open = fields.open, let high = fields.high, let low = fields.low, let close = fields.close,
            let volume = fields.volume
        else {
            output.problems.append(.unreadable(frame, "a candle without all of its prices"))
            return
        }
        let candle = Candle(
            symbol: known.symbol, interval: interval, open: open, high: high, low: low, close: close, volume: volume,
            trades: fields.trades, isClosed: false, timestamp: timestamp, context: known.context(receivedAt))
        if var last = known.candles[interval] {
            if candle.timestamp < last.timestamp { return }
            if candle.timestamp > last.timestamp {
                last.isClosed = true
                last.context.receivedAt = receivedAt
                output.events.append(Self.event(of: last, coin: coin))
            }
        }
        self.coins[coin]?.candles[interval] = candle
        output.events.append(Self.event(of: candle, coin: coin))
    }

    private static func event(of candle: Candle, coin: Name) -> StandardEvent {
        var hash = Self.hash("hyperliquid.ohlcv", coin, candle.timestamp.nanoseconds)
        candle.interval.withUTF8 { hash.combine($0) }
        for number in [candle.open, candle.high, candle.low, candle.close, candle.volume] { hash.combine(number) }
        hash.combine(candle.trades ?? .max)
        hash.combine(candle.isClosed == true ? 1 as UInt64 : 0)
        return StandardEvent(
            eventType: .ohlcv, source: Self.source, payload: .candle(candle), timestamp: candle.timestamp,
            eventID: EventID(at: candle.timestamp, hash: hash))
    }

    // MARK: Answers

    mutating func readConfirmation(_ reader: inout JSONReader, into output: inout VenueOutput) throws(JSONSyntaxError) {
        var coin: Name?
        var isSubscribe = false
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.equals("method"), try reader.kind() == .string {
                isSubscribe = try reader.readString().equals("subscribe")
            } else if key.equals("subscription"), try reader.kind() == .object {
                var fields = HyperliquidFields()
                try fields.read(&reader)
                coin = fields.coin
            } else {
                try reader.skipValue()
            }
        }
        guard isSubscribe, let coin, let known = self.coins[coin], known.unconfirmed > 0 else { return }
        self.coins[coin]?.unconfirmed -= 1
        if known.unconfirmed == 1 { output.notices.append(.confirmed(stream: 0)) }
    }

    static func hash(_ kind: String, _ coin: Name, _ time: Int64) -> StableHash {
        var hash = StableHash()
        hash.combine(kind)
        coin.withUTF8 { hash.combine($0) }
        hash.combine(time)
        return hash
    }
}

extension HyperliquidSession.Coin {
    /// An event of one number.
    func single(
        _ type: EventType, _ field: String, _ number: ExactDecimal, at receivedAt: Timestamp, _ id: EventID
    ) -> StandardEvent {
        StandardEvent(
            eventType: type, source: HyperliquidSession.source,
            payload: .object(
                JSONObject([
                    ("symbol", .string(self.symbol.description)), (field, .number(number)),
                    ("timestamp", .string(receivedAt.description)),
                    ("venue_symbol", .string(self.venueSymbol.description)),
                ])),
            timestamp: receivedAt, eventID: id)
    }
}
