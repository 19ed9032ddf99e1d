import Tidings

/// What a session knows about one instrument.
struct BinanceMarket: Sendable {
    /// How its order book comes.
    enum BookMode: Sendable {
        case unknown
        /// Updates to a snapshot, `<symbol>@depth`.
        case updates
        /// The best levels as a whole each time, `<symbol>@depth5` and the like.
        case whole
    }

    let instrument: Instrument
    let symbol: Name
    let venueSymbol: Name
    // The numbers of its streams; `nil` for what is not collected.
    let tradeStream: Int?
    let tickerStream: Int?
    let bookStream: Int?
    let candleStream: Int?

    var sync = BinanceBookSync()
    var publisher: BookPublisher
    var bookMode = BookMode.unknown

    var trades = BinanceTradeLine(isAggregated: false)
    var aggregated = BinanceTradeLine(isAggregated: true)
    /// Whether a `trade` frame has come: from then on `aggTrade` frames say nothing new.
    var hasTrades = false

    /// The update number of the last `bookTicker`.
    var lastBookTicker: UInt64 = 0
    /// The venue's time of the last `24hrTicker`.
    var lastTicker: Int64 = .min
    /// The venue's time of the last `kline`.
    var lastCandle: Int64 = .min

    // What the identifiers of its events begin with: kind and symbol.
    let tradeHash: StableHash
    let aggregatedHash: StableHash
    let bookTickerHash: StableHash
    let tickerHash: StableHash
    let candleHash: StableHash

    init(_ instrument: Instrument, index: Int, plan: FeedPlan) {
        self.instrument = instrument
        self.symbol = Name(instrument.symbol)
        self.venueSymbol = Name(instrument.venueSymbol)
        self.tradeStream = plan.stream(.trade, of: index)
        self.tickerStream = plan.stream(.ticker, of: index)
        self.bookStream = plan.stream(.orderBook, of: index)
        self.candleStream = plan.stream(.ohlcv, of: index)
        self.publisher = BookPublisher(plan.book, source: BinanceSession.source, instrument: instrument)
        self.tradeHash = Self.hash("binance.trade", instrument)
        self.aggregatedHash = Self.hash("binance.aggTrade", instrument)
        self.bookTickerHash = Self.hash("binance.bookTicker", instrument)
        self.tickerHash = Self.hash("binance.24hrTicker", instrument)
        self.candleHash = Self.hash("binance.kline", instrument)
    }

    static func hash(_ kind: String, _ instrument: Instrument) -> StableHash {
        var hash = StableHash()
        hash.combine(kind)
        hash.combine(instrument.venueSymbol)
        return hash
    }

    @inline(__always)
    func context(_ receivedAt: Timestamp) -> MarketContext {
        MarketContext(venueSymbol: self.venueSymbol, instrument: self.instrument.kind, receivedAt: receivedAt)
    }

    /// No other connection brings the same: what is older than the last may be news.
    mutating func beginAnew() {
        self.lastBookTicker = 0
        self.lastTicker = .min
        self.lastCandle = .min
        self.bookMode = .unknown
    }
}

// MARK: Events

extension BinanceMarket {
    /// A trade; that of an `aggTrade` has the number of the aggregate.
    @inline(__always)
    func trade(
        _ number: UInt64, isAggregated: Bool, price: ExactDecimal, size: ExactDecimal, at timestamp: Timestamp,
        buyerIsMaker: Bool, receivedAt: Timestamp
    ) -> StandardEvent {
        var hash = isAggregated ? self.aggregatedHash : self.tradeHash
        hash.combine(timestamp.nanoseconds)
        hash.combine(number)
        return StandardEvent(
            eventType: .trade, source: BinanceSession.source,
            // "Is the buyer the market maker?" Then the seller took.
            payload: .trade(
                Trade(
                    symbol: self.symbol, price: price, volume: size, timestamp: timestamp,
                    side: buyerIsMaker ? .sell : .buy, tradeID: TradeID(number), context: self.context(receivedAt))),
            timestamp: timestamp, eventID: EventID(at: timestamp, hash: hash))
    }

    /// The best prices. The frame has no time: the envelope has that of receipt, the payload none.
    @inline(__always)
    func bookTicker(
        _ update: UInt64, bid: ExactDecimal, bidSize: ExactDecimal, ask: ExactDecimal, askSize: ExactDecimal,
        receivedAt: Timestamp
    ) -> StandardEvent {
        var hash = self.bookTickerHash
        hash.combine(receivedAt.nanoseconds)
        hash.combine(update)
        return StandardEvent(
            eventType: .ticker, source: BinanceSession.source,
            payload: .ticker(
                Ticker(
                    symbol: self.symbol, bid: bid, ask: ask, bidVolume: bidSize, askVolume: askSize,
                    context: self.context(receivedAt))),
            timestamp: receivedAt, eventID: EventID(at: receivedAt, hash: hash))
    }

    /// What happened in the last 24 hours.
    func ticker(
        _ fields: BinanceFields, price: ExactDecimal, at timestamp: Timestamp, receivedAt: Timestamp
    )
        -> StandardEvent
    {
        let ticker = Ticker(
            symbol: self.symbol, price: price, volume: fields.volume, bid: fields.bids?.price, ask: fields.asks?.price,
            bidVolume: fields.bidSize, askVolume: fields.askSize, timestamp: timestamp,
            context: self.context(receivedAt))
        var hash = self.tickerHash
        hash.combine(timestamp.nanoseconds)
        let numbers = [
            ticker.price, ticker.volume, ticker.bid, ticker.ask, ticker.bidVolume, ticker.askVolume,
        ]
        for number in numbers { hash.combine(number) }
        return StandardEvent(
            eventType: .ticker, source: BinanceSession.source, payload: .ticker(ticker), timestamp: timestamp,
            eventID: EventID(at: timestamp, hash: hash))
    }
}

extension Candle {
    /// A candle as an event of ours; that of the feed and that of its history have the same identifier.
    func binanceEvent(_ seed: StableHash) -> StandardEvent {
        var hash = seed
        hash.combine(self.timestamp.nanoseconds)
        self.interval.withUTF8 { hash.combine($0) }
        for number in [self.open, self.high, self.low, self.close, self.volume] { hash.combine(number) }
        hash.combine(self.trades ?? .max)
        hash.combine(self.isClosed == true ? 1 as UInt64 : 0)
        return StandardEvent(
            eventType: .ohlcv, source: BinanceSession.source, payload: .candle(self), timestamp: self.timestamp,
            eventID: EventID(at: self.timestamp, hash: hash))
    }
}
