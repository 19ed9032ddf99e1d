/// A candle that trades may still be added to.
struct GrowingCandle {
    /// Nanoseconds.
    let start: Int64
    let end: Int64
    private var open: ExactDecimal
    private var high: ExactDecimal
    private var low: ExactDecimal
    private var close: ExactDecimal
    private var volume: ExactDecimal
    private var trades: UInt64 = 1
    private var openTime: Int64
    private var closeTime: Int64
    private var context: MarketContext
    /// The trade that was added last.
    private(set) var cause: EventCause
    /// When it was published last, in event time.
    var publishedAt: Int64?
    /// Whether it has changed since then.
    var isChanged = true
    /// Whether its time is over.
    var isClosed = false

    init(start: Int64, end: Int64, _ trade: MarketTrade, _ cause: EventCause) {
        self.start = start
        self.end = end
        self.open = trade.price
        self.high = trade.price
        self.low = trade.price
        self.close = trade.price
        self.volume = trade.volume
        self.openTime = trade.time
        self.closeTime = trade.time
        self.context = trade.context
        self.cause = cause
    }

    /// Adds a trade, however late; of trades of one time the one that came last counts as the later. False where the volume
    /// is a number that cannot be written out.
    mutating func add(_ trade: MarketTrade, _ cause: EventCause) -> Bool {
        guard let volume = self.volume.adding(trade.volume) else { return false }
        self.volume = volume
        self.trades += 1
        if trade.time < self.openTime {
            self.open = trade.price
            self.openTime = trade.time
        }
        if trade.time >= self.closeTime {
            self.close = trade.price
            self.closeTime = trade.time
        }
        if trade.price > self.high { self.high = trade.price }
        if trade.price < self.low { self.low = trade.price }
        self.context = trade.context
        self.cause = cause
        self.isChanged = true
        return true
    }

    /// The candle as it is, as an event that everybody who has seen the same trades makes alike.
    func event(of market: MarketKey, interval: Name) -> StandardEvent {
        let timestamp = Timestamp(nanoseconds: self.start, precision: .seconds)
        let candle = Candle(
            symbol: market.symbol, interval: interval, open: self.open, high: self.high, low: self.low,
            close: self.close, volume: self.volume, trades: self.trades, isClosed: self.isClosed,
            timestamp: timestamp, origin: market.source, context: self.context)
        return StandardEvent(
            eventType: .ohlcv, source: Self.source, payload: .candle(candle), timestamp: timestamp,
            eventID: EventID(at: timestamp, hash: self.hash(market, interval)))
    }

    static let source: Name = "candles"

    private func hash(_ market: MarketKey, _ interval: Name) -> StableHash {
        var hash = StableHash()
        hash.combine("candles.ohlcv")
        market.source.withUTF8 { hash.combine($0) }
        market.symbol.withUTF8 { hash.combine($0) }
        interval.withUTF8 { hash.combine($0) }
        hash.combine(self.start)
        hash.combine(self.isClosed ? 1 as UInt64 : 0)
        hash.combine(self.trades)
        for number in [self.open, self.high, self.low, self.close, self.volume] { hash.combine(exact: number) }
        self.cause.eventID.combine(into: &hash)
        return hash
    }
}

extension StableHash {
    /// A number with its digits.
    mutating func combine(exact number: ExactDecimal) {
        if let (mantissa, scale) = number.compact {
            self.combine(mantissa)
            self.combine(UInt64(scale))
        } else {
            self.combine(number.description)
        }
    }
}

extension EventID {
    func combine(into hash: inout StableHash) {
        if let (high, low) = self.uuid {
            hash.combine(high)
            hash.combine(low)
        } else {
            hash.combine(self.description)
        }
    }
}
