import Tidings

/// The events that are measured with.
enum BenchEvents {
    /// A trade as a connector makes it.
    static let trade = Self.makeTrade(at: Timestamp(nanoseconds: 1_705_314_600_123_000_000, precision: .milliseconds))

    @inline(__always)
    static func makeTrade(at moment: Timestamp) -> StandardEvent {
        StandardEvent(
            eventType: .trade, source: Self.source,
            payload: .trade(
                Trade(
                    symbol: Self.symbol, price: ExactDecimal(mantissa: 5_000_000, scale: 2),
                    volume: ExactDecimal(mantissa: 15, scale: 1), timestamp: moment, side: .buy,
                    tradeID: TradeID(118_906_512_037_719),
                    context: MarketContext(venueSymbol: Self.venueSymbol, instrument: .perpetual, receivedAt: moment))),
            timestamp: moment)
    }

    private static let source: Name = "hyperliquid"
    private static let symbol: Name = "BTC-USD"
    private static let venueSymbol: Name = "BTC"

    /// A trade as a foreign program may write it: other key order, an escape, white space.
    static let foreignTrade = """
        {"source":"hyperliquid","priority":5,"event_type":"trade","payload":{"price":50000.00,"symbol":"BTC\\u002dUSD",\
        "timestamp":"2024-01-15T10:30:00Z","volume":1.5,"side":"buy"},"timestamp":"2024-01-15T10:30:00.123456Z",\
        "event_id":"550e8400-e29b-41d4-a716-446655440000","correlation_id":"550e8400-e29b-41d4-a716-446655440001"}
        """

    static let orderBook: StandardEvent = {
        func levels(from price: Int64, step: Int64) -> [OrderBook.Level] {
            (0..<20).map { index in
                OrderBook.Level(
                    price: ExactDecimal(mantissa: price + step * Int64(index), scale: 1),
                    volume: ExactDecimal(mantissa: 12_345 + Int64(index) * 17, scale: 5))
            }
        }
        let (bids, asks) = (levels(from: 500_000, step: -5), levels(from: 500_005, step: 5))
        let moment = Timestamp(nanoseconds: 1_705_314_600_123_000_000, precision: .milliseconds)
        return StandardEvent(
            eventType: .orderBook, source: Self.source,
            payload: .orderBook(
                OrderBook(
                    symbol: Self.symbol, bids: bids, asks: asks, bestBid: bids[0], bestAsk: asks[0], timestamp: moment,
                    context: MarketContext(venueSymbol: Self.venueSymbol, instrument: .perpetual, receivedAt: moment))),
            timestamp: moment)
    }()

    static let openObject = """
        {"event_id":"550e8400-e29b-41d4-a716-446655440000","event_type":"extraction.field_found",\
        "timestamp":"2024-01-15T10:30:00.123456Z","source":"books","payload":{"scraper":"books","item":"9780141439518",\
        "url":"https://books.example.com/9780141439518","field":"title","value":"Pride and Prejudice","selector":"h1.title",\
        "fallback_index":0},"correlation_id":"550e8400-e29b-41d4-a716-446655440001","priority":5}
        """
}
