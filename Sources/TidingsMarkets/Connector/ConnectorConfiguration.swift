/// What a connector collects, and how.
public struct ConnectorConfiguration: Sendable {
    /// The venue's name, such as `hyperliquid`.
    public var venue: String
    /// In our spelling or the venue's.
    public var symbols: [String]
    public var channels: [MarketChannel]
    /// The venue's WebSocket; its public one unless given.
    public var endpoint: String?
    /// A symbol that has been silent for this long is stale: it is subscribed to anew, and if that does not help the
    /// connection is replaced.
    public var staleAfter: Duration
    /// How long a full bus may hold the feed up before events are dropped and the gap is reported.
    public var maximumStall: Duration

    public init(
        venue: String, symbols: [String], channels: [MarketChannel] = MarketChannel.standard, endpoint: String? = nil,
        staleAfter: Duration = .seconds(30), maximumStall: Duration = .seconds(10)
    ) {
        self.venue = venue
        self.symbols = symbols
        self.channels = channels
        self.endpoint = endpoint
        self.staleAfter = staleAfter
        self.maximumStall = maximumStall
    }
}
