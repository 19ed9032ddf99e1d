/// What processors of trades take from an event.
struct MarketTrade {
    let source: Name
    let symbol: Name
    let price: ExactDecimal
    let volume: ExactDecimal
    /// Event time, nanoseconds.
    let time: Int64
    let context: MarketContext
    /// Which replay it belongs to: what is fed in a second time is calculated with apart from what is live.
    let replay: String?

    /// `nil` for what is no trade, or none that can be calculated with: no price above zero, a number too
    /// long to be written out, or a time that lies ahead of
    /// when it was received by more than a minute.
    init?(_ event: borrowing StandardEvent) {
        guard event.eventType == .trade, let trade = event.payload.trade, trade.price > .zero, trade.volume >= .zero,
            trade.price.canBeCalculatedWith, trade.volume.canBeCalculatedWith
        else { return nil }
        let time = (trade.timestamp ?? event.timestamp).nanoseconds
        let context = trade.context
        if let received = context.receivedAt?.nanoseconds, time > received.clampedSum(Self.mostAhead) { return nil }
        self.source = event.source
        self.symbol = trade.symbol
        self.price = trade.price
        self.volume = trade.volume
        self.time = time
        self.context = context
        self.replay = event.details?.content.extra?["replay"]?.object?["id"]?.string
    }

    /// A clock that is so wrong would close everything else.
    private static let mostAhead: Int64 = 60_000_000_000

    var key: MarketKey { MarketKey(source: self.source, symbol: self.symbol, replay: self.replay) }
}

/// Whose trades belong together.
struct MarketKey: Hashable {
    let source: Name
    let symbol: Name
    let replay: String?
}
