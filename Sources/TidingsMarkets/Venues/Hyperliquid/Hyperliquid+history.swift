public import Tidings

/// What Hyperliquid tells of the past: the newest 5,000 candles of an interval, and a few recent trades.
extension Hyperliquid {
    /// An answer with fewer candles than this is all there is.
    private static let candlesPerAnswer = 500

    public func request(for query: HistoryQuery) throws(VenueError) -> VenueRequest {
        switch query.kind {
        case .candles(let interval, let since, let until):
            guard HyperliquidChannel.intervals.contains(interval) else {
                throw VenueError(
                    .unsupported,
                    "hyperliquid has no candles of '\(interval)'; there are: "
                        + HyperliquidChannel.intervals.joined(separator: ", "))
            }
            let first = max(0, since.nanoseconds / 1_000_000)
            let last = max(first, until.nanoseconds / 1_000_000 - 1)
            return HyperliquidInfo.candles(.history, query.instrument, interval: interval, first...last)
        case .trades:
            return HyperliquidInfo.recentTrades(.history, query.instrument)
        }
    }

    public func page(
        of query: HistoryQuery, request: VenueRequest, from answer: UnsafeRawBufferPointer, at receivedAt: Timestamp
    ) throws(VenueError) -> HistoryPage {
        let (symbol, coin) = (Name(query.instrument.symbol), Name(query.instrument.venueSymbol))
        let context = MarketContext(venueSymbol: coin, instrument: query.instrument.kind, receivedAt: receivedAt)
        let list = try HyperliquidInfo.readList(answer)
        switch query.kind {
        case .trades(let limit):
            let trades = HyperliquidInfo.trades(list).suffix(max(0, limit))
            return HistoryPage(events: trades.map { $0.event(symbol: symbol, coin: coin, context) })
        case .candles(let interval, let since, let until):
            var candles: [Candle] = []
            for fields in list {
                guard var candle = Candle(fields, symbol, context), candle.timestamp >= since,
                    candle.timestamp < until
                else { continue }
                candle.isClosed = fields.end.map { $0 < receivedAt.nanoseconds / 1_000_000 }
                candles.append(candle)
            }
            candles.sort { $0.timestamp < $1.timestamp }
            var next: VenueRequest?
            if let last = candles.last?.timestamp, list.count >= Self.candlesPerAnswer {
                let first = last.nanoseconds / 1_000_000 + 1
                let end = until.nanoseconds / 1_000_000 - 1
                if first <= end {
                    next = HyperliquidInfo.candles(.history, query.instrument, interval: interval, first...end)
                }
            }
            return HistoryPage(
                events: candles.map { HyperliquidSession.event(of: $0, coin: coin) }, next: next)
        }
    }
}
