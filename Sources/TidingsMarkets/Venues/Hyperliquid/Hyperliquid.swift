public import Tidings

/// The Hyperliquid perpetuals exchange.
public struct Hyperliquid: Venue {
    public let name = "hyperliquid"
    public let endpoint = "wss://api.hyperliquid.xyz/ws"
    public let rest = "https://api.hyperliquid.xyz"

    public init() {}

    public var limits: VenueLimits { VenueLimits() }

    public func instrument(named name: String) -> Instrument? { Self.resolve(name) }

    public var instrumentsRequest: VenueRequest {
        VenueRequest(.instruments, .post, "/info", body: #"{"type":"meta"}"#, weight: 20)
    }

    public func instruments(from answer: UnsafeRawBufferPointer) throws(VenueError) -> [Instrument] {
        throw VenueError(.unsupported, "not yet")
    }

    public func request(for query: HistoryQuery) throws(VenueError) -> VenueRequest {
        throw VenueError(.unsupported, "not yet")
    }

    public func page(
        of query: HistoryQuery, request: VenueRequest, from answer: UnsafeRawBufferPointer, at receivedAt: Timestamp
    ) throws(VenueError) -> HistoryPage {
        throw VenueError(.unsupported, "not yet")
    }

    public func makeSession(_ plan: FeedPlan) -> any VenueSession {
        HyperliquidSession(symbols: plan.instruments, channels: plan.channels.flatMap { Self.channels(of: $0) })
    }

    /// A perpetual is named by its coin, and quoted in dollars: `BTC` is `BTC-USD`. Coins are in capitals, but for the
    /// `k` of those counted in thousands (`kPEPE`).
    static func resolve(_ name: String) -> Instrument? {
        var coin = name
        if let dash = name.lastIndex(of: "-") {
            guard name[name.index(after: dash)...].uppercased() == "USD" else { return nil }
            coin = String(name[..<dash])
        }
        let isWellFormed = coin.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard (1...16).contains(coin.utf8.count), isWellFormed else { return nil }
        let isThousands = coin.first == "k" && coin.dropFirst().allSatisfy(\.isUppercase) && coin.count > 1
        let venueSymbol = isThousands ? coin : coin.uppercased()
        return Instrument(symbol: venueSymbol.uppercased() + "-USD", venueSymbol: venueSymbol, kind: .perpetual)
    }

    private static func channels(of channel: MarketChannel) -> [HyperliquidChannel] {
        switch channel {
        case .trade: [.trades]
        case .ticker: [.bbo, .activeAssetCtx]
        case .orderBook: [.l2Book]
        case .ohlcv: [.candle(interval: "1m")]
        }
    }
}
