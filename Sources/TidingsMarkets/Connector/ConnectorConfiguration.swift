/// What a connector collects, and how.
public struct ConnectorConfiguration: Sendable {
    /// Where a venue comes from.
    public enum VenueChoice: Sendable {
        /// One of ``Venues/all``, by its name in any case.
        case named(String)
        /// A venue of the program's own, or one that is set up otherwise.
        case value(any Venue)
    }

    public var venue: VenueChoice
    /// In our spelling (`BTC-USDT`) or the venue's (`BTCUSDT`), in any case.
    public var symbols: [String]
    public var channels: [MarketChannel]
    /// Which `order_book` events are made.
    public var book = BookPlan()
    /// The interval of the `ohlcv` channel, such as `1m`.
    public var candleInterval = "1m"
    /// The venue's WebSocket; its public one unless given. One without a path takes the venue's own path.
    public var endpoint: String?
    /// Where HTTP requests go, scheme and host: the venue's own unless given, or, where only ``endpoint`` is, its host
    /// and port.
    public var rest: String?
    /// How long a book or a ticker may be silent before it is stale: it is subscribed to anew, and if that does not help
    /// within as long again its connection is replaced. Trades and candles, which may pause in a quiet market, are given
    /// ten times as long and no less than ten minutes, and are stale only if the venue does not even confirm a new
    /// subscription.
    public var staleAfter: Duration
    /// An HTTP proxy, `http://[user:password@]host:port`, for the WebSocket (by CONNECT) and for HTTP.
    public var proxy: String?
    /// Where raw frames are written, in the recordings' format; nowhere unless given.
    public var recordingDirectory: String?
    /// The age at which a connection is followed by another; the venue's own limit unless given.
    public var connectionLife: Duration?
    /// How long a full bus may hold the feed up before events are dropped and the gap is reported.
    public var maximumStall: Duration

    public init(
        venue: VenueChoice, symbols: [String], channels: [MarketChannel] = MarketChannel.standard,
        endpoint: String? = nil, staleAfter: Duration = .seconds(30), maximumStall: Duration = .seconds(10)
    ) {
        self.venue = venue
        self.symbols = symbols
        self.channels = channels
        self.endpoint = endpoint
        self.staleAfter = staleAfter
        self.maximumStall = maximumStall
    }

    /// A venue that comes with Tidings.
    public init(
        venue: String, symbols: [String], channels: [MarketChannel] = MarketChannel.standard, endpoint: String? = nil,
        staleAfter: Duration = .seconds(30), maximumStall: Duration = .seconds(10)
    ) {
        self.init(
            venue: .named(venue), symbols: symbols, channels: channels, endpoint: endpoint, staleAfter: staleAfter,
            maximumStall: maximumStall)
    }

    /// A venue of the program's own.
    public init(
        venue: any Venue, symbols: [String], channels: [MarketChannel] = MarketChannel.standard,
        endpoint: String? = nil, staleAfter: Duration = .seconds(30), maximumStall: Duration = .seconds(10)
    ) {
        self.init(
            venue: .value(venue), symbols: symbols, channels: channels, endpoint: endpoint, staleAfter: staleAfter,
            maximumStall: maximumStall)
    }
}
