import Tidings

/// What the session knows of one instrument, across connections.
struct KrakenMarket: Sendable {
    enum BookState: Sendable {
        /// No snapshot has come since the connection was opened.
        case absent
        case whole
        /// It is asked for anew; the symbol is told of as resyncing.
        case mending
    }

    /// Asking for a book anew, so that a book that stays broken does not become a storm of requests.
    struct Repair: Sendable {
        /// Attempts since the book was last whole for a while.
        var attempts = 0
        /// When the next one is made, unless the book is whole by then.
        var next: Int64 = .max
    }

    let instrument: Instrument
    let symbol: Name
    /// As the frames spell it.
    var wireName: Name

    // MARK: Book
    var book = LocalBook()
    var publisher: BookPublisher
    var bookState = BookState.absent
    /// Which connection's updates the book takes.
    var bookConnection: Int?
    /// Levels a side, as the venue's own answer names them.
    var depth: Int?
    /// A whole book whose best prices overlap is not told of.
    var isCrossed = false
    var wholeSince: Int64 = .min
    var repair = Repair()

    // MARK: Trades
    var ledger = TradeLedger()
    /// The time of the trade with the highest number.
    var newestTrade: Timestamp?
    var recovery = KrakenTradeRecovery()

    // MARK: Ticker and candles
    var tickerConnection = Int.min
    var candleConnection = Int.min
    var candle: Candle?
    /// The candle went on while nobody listened: what it has become is not known.
    var isCandleOutdated = false

    init(_ instrument: Instrument, _ plan: BookPlan) {
        self.instrument = instrument
        self.symbol = Name(instrument.symbol)
        self.wireName = Name(instrument.venueSymbol)
        self.publisher = BookPublisher(plan, source: KrakenSession.source, instrument: instrument)
    }

    func context(_ receivedAt: Timestamp) -> MarketContext {
        MarketContext(venueSymbol: self.wireName, instrument: .spot, receivedAt: receivedAt)
    }

    func context(_ name: Name, _ receivedAt: Timestamp) -> MarketContext {
        MarketContext(venueSymbol: name, instrument: .spot, receivedAt: receivedAt)
    }
}

/// Where the search for lost trades of a market stands.
struct KrakenTradeRecovery: Sendable {
    enum Step: Sendable, Equatable {
        case idle
        /// The channel has been subscribed to anew, for its snapshot of the last 50 trades.
        case snapshot(deadline: Int64)
        /// They have been asked for over REST.
        case rest(ClosedRange<UInt64>, pages: Int)
    }

    var step = Step.idle
    /// The time of the last trade before the first loss that has not been looked for yet.
    var since: Timestamp?
}

/// One open connection.
struct KrakenLink: Sendable {
    let number: Int
    /// Streams that the venue has not answered for yet, with the time at which they are asked for anew.
    var unconfirmed: [Int: Int64] = [:]
    /// Streams that it has refused for good.
    var refused: Set<Int> = []
    var isReady = false
    var heardAt: Int64
    var pingedAt: Int64
    /// How long to wait after the next refusal for asking too often.
    var penalty = KrakenSession.firstPenalty
}
