import Tidings

/// What the session knows of one coin, across connections.
struct HyperliquidCoin: Sendable {
    enum BookState: Sendable {
        /// Nothing has come since the connection was opened.
        case absent
        case whole
        /// It is asked for anew; the symbol is told of as resyncing.
        case mending
    }

    /// Trades that may have been missed while nobody listened.
    struct TradeBreak: Sendable {
        /// The venue's time of the last trade before, in milliseconds.
        let after: Int64
        /// The oldest trade that has come since.
        var oldest: Int64?
        var isAsked = false
    }

    let instrument: Instrument
    let symbol: Name
    let venueSymbol: Name

    // MARK: Book
    var book = LocalBook()
    var publisher: BookPublisher
    var bookState = BookState.absent
    /// The venue's time of the book, in milliseconds.
    var bookTime: Int64 = .min
    /// Nothing is told of a book whose best prices overlap.
    var isCrossed = false

    // MARK: Trades
    var recent = RecentTrades()
    /// In milliseconds.
    var newestTrade: Int64?
    var tradeBreak: TradeBreak?

    // MARK: Ticker
    var bboTime: Int64 = .min
    var lastBBO: EventID?
    var contextConnection = Int.min

    // MARK: Candles
    var candle: Candle?
    var candleConnection = Int.min
    /// The candle went on while nobody listened: what it has become is not known.
    var isCandleOutdated = false
    /// The starts of candles that are asked for, in milliseconds.
    var missedCandles: ClosedRange<Int64>?

    init(_ instrument: Instrument, _ plan: BookPlan) {
        self.instrument = instrument
        self.symbol = Name(instrument.symbol)
        self.venueSymbol = Name(instrument.venueSymbol)
        self.publisher = BookPublisher(plan, source: HyperliquidSession.source, instrument: instrument)
    }

    func context(_ receivedAt: Timestamp) -> MarketContext {
        MarketContext(venueSymbol: self.venueSymbol, instrument: .perpetual, receivedAt: receivedAt)
    }
}

/// The trades that came last, by time and number: what is replayed is known by them. Bounded.
struct RecentTrades: Sendable {
    private struct Key: Hashable, Sendable {
        let time: Int64
        let id: UInt64
    }

    /// More than the venue replays on a subscription or gives for `recentTrades`.
    static let capacity = 1024

    private var keys: Set<Key> = []
    private var order: [Key] = []
    /// Where the next one goes in a full list: over the oldest.
    private var next = 0

    /// - Returns: whether the trade is new.
    mutating func insert(time: Int64, id: UInt64) -> Bool {
        let key = Key(time: time, id: id)
        guard self.keys.insert(key).inserted else { return false }
        if self.order.count < Self.capacity {
            self.order.append(key)
        } else {
            self.keys.remove(self.order[self.next])
            self.order[self.next] = key
            self.next = (self.next + 1) % Self.capacity
        }
        return true
    }
}

/// One open connection.
struct HyperliquidLink: Sendable {
    let number: Int
    /// Subscriptions that the venue has not answered for yet, with the time at which they are sent anew.
    var unconfirmed: [HyperliquidSubscription: Int64] = [:]
    /// Those that it has refused.
    var refused: Set<HyperliquidSubscription> = []
    /// Coins whose book has come on it.
    var books: Set<Int> = []
    var isReady = false
    var pingedAt: Int64
}

struct HyperliquidSubscription: Hashable, Sendable {
    /// Its index in the plan.
    let coin: Int
    let channel: HyperliquidChannel
}
