public import Tidings

/// Coinbase Advanced Trade.
///
/// Limits: https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-rate-limits (8 messages a
/// second without an account, 8 connections a second) and 10 public REST requests a second.
public struct CoinbaseAdvanced: Venue {
    public let name = "coinbase-advanced"
    public let endpoint = "wss://advanced-trade-ws.coinbase.com"
    public let rest = "https://api.coinbase.com"

    /// Where the public lists and histories are.
    static let products = "/api/v3/brokerage/market/products"

    public init() {}

    public var limits: VenueLimits {
        var limits = VenueLimits()
        limits.messagesPerSecond = 8
        limits.messageBurst = 8
        limits.requestWeight = 10
        limits.requestInterval = .seconds(1)
        limits.requestSpacing = .milliseconds(100)
        // A heartbeat comes every second.
        limits.silence = .seconds(10)
        return limits
    }

    public func instrument(named name: String) -> Instrument? { CoinbaseSymbol.resolve(name) }

    public var instrumentsRequest: VenueRequest { VenueRequest(.instruments, .get, Self.products) }

    public func instruments(from answer: UnsafeRawBufferPointer) throws(VenueError) -> [Instrument] {
        try CoinbaseProducts.read(answer, venue: self.name)
    }

    public func makeSession(_ plan: FeedPlan) -> any VenueSession { CoinbaseAdvancedSession(plan) }

    /// Candles of `1m`, `5m`, `15m`, `30m`, `1h`, `2h`, `6h` and `1d`, 300 a page; the newest trades, at most 1000.
    public func request(for query: HistoryQuery) throws(VenueError) -> VenueRequest {
        let product = query.instrument.venueSymbol
        switch query.kind {
        case .trades(let limit):
            return VenueRequest(.history, .get, "\(Self.products)/\(product)/ticker?limit=\(min(max(1, limit), 1000))")
        case .candles(let interval, let since, let until):
            guard let granularity = CoinbaseAdvancedCandles.granularity(interval) else {
                throw .noInterval(self.name, interval, known: CoinbaseAdvancedCandles.intervals)
            }
            return Self.request(
                product, granularity.name,
                CandlePages(
                    since: since, until: until, seconds: granularity.seconds, limit: CoinbaseAdvancedCandles.limit))
        }
    }

    public func page(
        of query: HistoryQuery, request: VenueRequest, from answer: UnsafeRawBufferPointer, at receivedAt: Timestamp
    ) throws(VenueError) -> HistoryPage {
        let instrument = query.instrument
        let (symbol, venueSymbol) = (Name(instrument.symbol), Name(instrument.venueSymbol))
        let context = MarketContext(venueSymbol: venueSymbol, instrument: .spot, receivedAt: receivedAt)
        let source = CoinbaseAdvancedSession.source
        switch query.kind {
        case .trades(let limit):
            guard let trades = CoinbaseAdvancedCandles.readTrades(answer) else {
                throw .noSense(self.name, "trades", answer)
            }
            let newest = trades.sorted { $0.number < $1.number }.suffix(max(1, limit))
            return HistoryPage(events: newest.map { $0.event(source, symbol, venueSymbol, context) })
        case .candles(let interval, let since, let until):
            guard let granularity = CoinbaseAdvancedCandles.granularity(interval) else {
                throw .noInterval(self.name, interval, known: CoinbaseAdvancedCandles.intervals)
            }
            guard let candles = CoinbaseAdvancedCandles.read(answer) else {
                throw .noSense(self.name, "candles", answer)
            }
            var pages = CandlePages(
                since: since, until: until, seconds: granularity.seconds, limit: CoinbaseAdvancedCandles.limit)
            let next = pages.follow(request) { Self.request(instrument.venueSymbol, granularity.name, $0) }
            return HistoryPage(
                events: pages.events(
                    candles, at: receivedAt, source, symbol, venueSymbol, interval: interval, context), next: next)
        }
    }

    private static func request(_ product: String, _ granularity: String, _ pages: CandlePages) -> VenueRequest {
        VenueRequest(
            .history, .get,
            CoinbaseAdvancedCandles.target(
                product, granularity, since: pages.window.since, until: pages.window.until))
    }
}
