import Tidings

/// A trade with everything that an event needs, from the feed or from REST.
struct KrakenTrade: Sendable {
    let id: UInt64
    let price: ExactDecimal
    let size: ExactDecimal
    /// The taker's.
    let side: TradeSide
    let timestamp: Timestamp

    init(id: UInt64, price: ExactDecimal, size: ExactDecimal, side: TradeSide, timestamp: Timestamp) {
        self.id = id
        self.price = price
        self.size = size
        self.side = side
        self.timestamp = timestamp
    }

    init?(_ entry: KrakenFrame.Entry) {
        guard let id = entry.tradeID, let price = entry.price, let size = entry.size, let side = entry.side,
            let timestamp = entry.timestamp
        else { return nil }
        self.init(id: id, price: price, size: size, side: side, timestamp: timestamp)
    }

    func event(_ market: KrakenMarket, _ context: MarketContext) -> StandardEvent {
        self.event(symbol: market.symbol, venueSymbol: market.instrument.venueSymbol, context)
    }

    /// - Parameter venueSymbol: in the spelling of version 2, whatever the frame's, so that the event is the same.
    func event(symbol: Name, venueSymbol: String, _ context: MarketContext) -> StandardEvent {
        var hash = StableHash()
        hash.combine("kraken.trade")
        hash.combine(venueSymbol)
        // REST gives more digits of the same time than the feed does; the number is what tells trades apart.
        hash.combine(self.timestamp.nanoseconds / 1_000_000)
        hash.combine(self.id)
        let trade = Trade(
            symbol: symbol, price: self.price, volume: self.size, timestamp: self.timestamp, side: self.side,
            tradeID: TradeID(self.id), context: context)
        return StandardEvent(
            eventType: .trade, source: KrakenSession.source, payload: .trade(trade), timestamp: self.timestamp,
            eventID: EventID(at: self.timestamp, hash: hash))
    }
}
