import Tidings

/// Kraken's spot markets, by version 2 of its feed.
///
/// Sources: https://docs.kraken.com/api/docs/websocket-v2/ and https://docs.kraken.com/api/docs/rest-api/.
public struct Kraken: Venue {
    public let name = "kraken"
    public let endpoint = "wss://ws.kraken.com/v2"
    public let rest = "https://api.kraken.com"

    public init() {}

    /// The message rate is dynamic and not published; 20 a second with bursts of 10 is what other adapters keep. The venue
    /// sends a heartbeat about every second: 5 s without anything is a dead connection
    /// (https://docs.kraken.com/exchange/guides/websockets/reconnection). Public REST calls: about one a second.
    public var limits: VenueLimits {
        var limits = VenueLimits()
        limits.messagesPerSecond = 20
        limits.messageBurst = 10
        limits.silence = .seconds(5)
        limits.requestWeight = 60
        limits.requestInterval = .seconds(60)
        limits.requestSpacing = .seconds(1)
        return limits
    }

    /// Takes `BTC-USD`, `BTC/USD`, `XBT/USD`, `XBTUSD`, `XXBTZUSD`, in any case.
    public func instrument(named name: String) -> Instrument? {
        guard let (base, quote) = KrakenSpelling.pair(name) else { return nil }
        return Self.instrument(base, quote)
    }

    public func makeSession(_ plan: FeedPlan) -> any VenueSession {
        KrakenSession(plan)
    }

    static func instrument(
        _ base: String, _ quote: String, priceScale: Int? = nil, sizeScale: Int? = nil
    ) -> Instrument {
        Instrument(
            symbol: "\(base)-\(quote)".uppercased(), venueSymbol: "\(base)/\(quote)", kind: .spot,
            priceScale: priceScale, sizeScale: sizeScale)
    }
}
