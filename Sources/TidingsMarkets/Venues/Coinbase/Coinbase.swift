public import Tidings

/// Coinbase Exchange.
///
/// Limits: https://docs.cdp.coinbase.com/exchange/websocket-feed/rate-limits (100 messages a second from a client, 8
/// connections a second) and /exchange/rest-api/rate-limits (10 public requests a second).
public struct Coinbase: Venue {
    public let name = "coinbase"
    public let endpoint = "wss://ws-feed.exchange.coinbase.com"
    public let rest = "https://api.exchange.coinbase.com"

    public init() {}

    public var limits: VenueLimits {
        var limits = VenueLimits()
        limits.messagesPerSecond = 100
        limits.messageBurst = 20
        limits.requestWeight = 10
        limits.requestInterval = .seconds(1)
        limits.requestSpacing = .milliseconds(100)
        // A heartbeat of each product comes every second.
        limits.silence = .seconds(10)
        return limits
    }

    public func instrument(named name: String) -> Instrument? { CoinbaseSymbol.resolve(name) }

    public var instrumentsRequest: VenueRequest { VenueRequest(.instruments, .get, "/products") }

    public func instruments(from answer: UnsafeRawBufferPointer) throws(VenueError) -> [Instrument] {
        try CoinbaseProducts.read(answer, venue: self.name)
    }

    public func makeSession(_ plan: FeedPlan) -> any VenueSession { CoinbaseSession(plan) }

    /// Candles of `1m`, `5m`, `15m`, `1h`, `6h` and `1d`, 300 a page; the newest trades, at most 1000.
    public func request(for query: HistoryQuery) throws(VenueError) -> VenueRequest {
        let product = query.instrument.venueSymbol
        switch query.kind {
        case .trades(let limit):
            return VenueRequest(.history, .get, "/products/\(product)/trades?limit=\(min(max(1, limit), 1000))")
        case .candles(let interval, let since, let until):
            guard let seconds = CoinbaseCandles.seconds(interval) else {
                throw .noInterval(self.name, interval, known: CoinbaseCandles.intervals)
            }
            let pages = CandlePages(since: since, until: until, seconds: seconds, limit: CoinbaseCandles.limit)
            return Self.request(product, pages)
        }
    }

    public func page(
        of query: HistoryQuery, request: VenueRequest, from answer: UnsafeRawBufferPointer, at receivedAt: Timestamp
    ) throws(VenueError) -> HistoryPage {
        let instrument = query.instrument
        let (symbol, venueSymbol) = (Name(instrument.symbol), Name(instrument.venueSymbol))
        let context = MarketContext(venueSymbol: venueSymbol, instrument: .spot, receivedAt: receivedAt)
        let source = CoinbaseSession.source
        switch query.kind {
        case .trades(let limit):
            var reader = JSONReader(answer)
            guard let trades = try? reader.coinbaseTrades() else { throw .noSense(self.name, "trades", answer) }
            let newest = trades.sorted { $0.number < $1.number }.suffix(max(1, limit))
            return HistoryPage(events: newest.map { $0.event(source, symbol, venueSymbol, context) })
        case .candles(let interval, let since, let until):
            guard let seconds = CoinbaseCandles.seconds(interval) else {
                throw .noInterval(self.name, interval, known: CoinbaseCandles.intervals)
            }
            guard let candles = CoinbaseCandles.read(answer) else { throw .noSense(self.name, "candles", answer) }
            var pages = CandlePages(since: since, until: until, seconds: seconds, limit: CoinbaseCandles.limit)
            let next = pages.follow(request) { Self.request(instrument.venueSymbol, $0) }
            return HistoryPage(
                events: pages.events(
                    candles, at: receivedAt, source, symbol, venueSymbol, interval: interval, context), next: next)
        }
    }

    private static func request(_ product: String, _ pages: CandlePages) -> VenueRequest {
        VenueRequest(
            .history, .get,
            CoinbaseCandles.target(product, pages.seconds, since: pages.window.since, until: pages.window.until))
    }
}

extension VenueError {
    static func noInterval(_ venue: String, _ interval: String, known: [String]) -> VenueError {
        VenueError(
            .unsupported, "\(venue) has no candles of \(interval); there are: \(known.joined(separator: ", "))")
    }

    /// What came is not what was asked for: the venue's own message where it gave one.
    static func noSense(_ venue: String, _ what: String, _ answer: UnsafeRawBufferPointer) -> VenueError {
        var reader = JSONReader(answer)
        var message: String?
        do throws(JSONSyntaxError) {
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                if key.equals("message"), try reader.kind() == .string {
                    message = try reader.readString().decoded()
                } else {
                    try reader.skipValue()
                }
            }
        } catch {
            message = nil
        }
        if let message { return VenueError(.refused, "\(venue): \(message.prefix(200))") }
        return VenueError(.unreadable, "\(venue): the answer holds no \(what)")
    }
}
