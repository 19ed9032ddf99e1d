import Tidings

/// Best prices and the asset's context.
extension HyperliquidSession {
    mutating func takeBBO(
        _ fields: HyperliquidFields, _ frame: UnsafeRawBufferPointer, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        guard let index = self.index(of: fields.coin), let stream = self.plan.stream(.ticker, of: index) else { return }
        output.hear(stream)
        guard let time = fields.time, Self.isMeant(time, at: receivedAt), fields.best.count == 2,
            let timestamp = Timestamp(milliseconds: time)
        else {
            output.problems.append(.unreadable(frame, "a bbo without time or prices"))
            return
        }
        guard time >= self.coins[index].bboTime else { return }
        self.coins[index].bboTime = time
        let coin = self.coins[index]
        let ticker = Ticker(
            symbol: coin.symbol, bid: fields.best[0]?.price, ask: fields.best[1]?.price,
            bidVolume: fields.best[0]?.volume, askVolume: fields.best[1]?.volume, timestamp: timestamp,
            context: coin.context(receivedAt))
        var hash = Self.hash("hyperliquid.bbo", coin.venueSymbol, time)
        for level in fields.best {
            hash.combine(level?.price)
            hash.combine(level?.volume)
        }
        let id = EventID(at: timestamp, hash: hash)
        // With two connections the same frame comes twice.
        guard id != coin.lastBBO else { return }
        self.coins[index].lastBBO = id
        output.events.append(
            StandardEvent(
                eventType: .ticker, source: Self.source, payload: .ticker(ticker), timestamp: timestamp, eventID: id))
    }

    /// The frame has no time of its own: the envelope has that of receipt, the payload none. Of two connections the newer
    /// one counts.
    mutating func takeAssetContext(
        _ fields: HyperliquidFields, _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        guard let index = self.index(of: fields.coin), let stream = self.plan.stream(.ticker, of: index),
            connection >= self.coins[index].contextConnection
        else { return }
        self.coins[index].contextConnection = connection
        output.hear(stream)
        guard let price = fields.markPrice else {
            output.problems.append(.unreadable(frame, "an asset context without a mark price"))
            return
        }
        let coin = self.coins[index]
        func id(_ kind: String, _ numbers: ExactDecimal?...) -> EventID {
            var hash = Self.hash(kind, coin.venueSymbol, receivedAt.nanoseconds)
            for number in numbers { hash.combine(number) }
            return EventID(at: receivedAt, hash: hash)
        }
        let ticker = Ticker(
            symbol: coin.symbol, price: price, volume: fields.dayBaseVolume, context: coin.context(receivedAt))
        output.events.append(
            StandardEvent(
                eventType: .ticker, source: Self.source, payload: .ticker(ticker), timestamp: receivedAt,
                eventID: id("hyperliquid.ticker", price, fields.dayBaseVolume)))
        if let funding = fields.funding {
            output.events.append(
                coin.single(.funding, "rate", funding, at: receivedAt, id("hyperliquid.funding", funding)))
        }
        if let interest = fields.openInterest {
            output.events.append(
                coin.single(.openInterest, "value", interest, at: receivedAt, id("hyperliquid.interest", interest)))
        }
    }
}

extension HyperliquidCoin {
    /// An event of one number.
    fileprivate func single(
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
