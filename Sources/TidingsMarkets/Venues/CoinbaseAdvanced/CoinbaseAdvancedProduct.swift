import Tidings

/// What a session knows of one product.
struct CoinbaseAdvancedProduct: Sendable {
    let instrument: Instrument
    let symbol: Name
    let venueSymbol: Name
    /// The numbers of its streams; `nil` for what is not collected.
    let tradeStream: Int?
    let tickerStream: Int?
    let bookStream: Int?
    let candleStream: Int?
    var trades = CoinbaseTrades()
    var book: CoinbaseBook
    var quiet = QuietStreams()
    /// The connection whose tickers are taken, and the time of the last.
    var tickerSource: Int?
    var tickerTime: Int64 = .min
    /// The connection whose candles are taken, and the last one, which may still change.
    var candleSource: Int?
    var candle: CoinbaseCandle?
    /// Whether the newest trades have been asked for.
    var isAskingTrades = false

    init(_ instrument: Instrument, _ index: Int, of plan: FeedPlan, source: Name) {
        self.instrument = instrument
        self.symbol = Name(instrument.symbol)
        self.venueSymbol = Name(instrument.venueSymbol)
        self.tradeStream = plan.stream(.trade, of: index)
        self.tickerStream = plan.stream(.ticker, of: index)
        self.bookStream = plan.stream(.orderBook, of: index)
        self.candleStream = plan.stream(.ohlcv, of: index)
        self.book = CoinbaseBook(BookPublisher(plan.book, source: source, instrument: instrument))
    }

    func context(_ receivedAt: Timestamp) -> MarketContext {
        MarketContext(venueSymbol: self.venueSymbol, instrument: .spot, receivedAt: receivedAt)
    }

    func stream(_ channel: MarketChannel) -> Int? {
        switch channel {
        case .trade: self.tradeStream
        case .ticker: self.tickerStream
        case .orderBook: self.bookStream
        case .ohlcv: self.candleStream
        }
    }

    /// The name under which a product's data comes: that of `X-USDC` comes as `X-USD`.
    ///
    /// Source: https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels: all but
    /// USDT-USDC and EURC-USDC.
    static func answeredName(_ name: String) -> String {
        guard name.hasSuffix("-USDC"), name != "USDT-USDC", name != "EURC-USDC" else { return name }
        return String(name.dropLast())
    }
}
