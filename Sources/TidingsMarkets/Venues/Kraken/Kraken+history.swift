public import Tidings

/// What Kraken tells of the past without an account.
///
/// - Candles: `OHLC` has the newest 720 of an interval, whatever is asked for, so that older ones are not there to be had.
///   The last one still runs.
/// - Trades: `Trades` gives at most 1,000 in one answer.
extension Kraken {
    public func request(for query: HistoryQuery) throws(VenueError) -> VenueRequest {
        switch query.kind {
        case .candles(let interval, let since, _):
            guard let minutes = KrakenInterval.minutes(of: interval) else {
                throw VenueError(
                    .unsupported, "kraken has no candles of '\(interval)'; there are: \(KrakenInterval.names)")
            }
            return KrakenREST.candles(.history, query.instrument, minutes: minutes, since: since)
        case .trades(let limit):
            return KrakenREST.trades(.history, query.instrument, count: limit)
        }
    }

    public func page(
        of query: HistoryQuery, request: VenueRequest, from answer: UnsafeRawBufferPointer, at receivedAt: Timestamp
    ) throws(VenueError) -> HistoryPage {
        let symbol = Name(query.instrument.symbol)
        let context = MarketContext(
            venueSymbol: Name(query.instrument.venueSymbol), instrument: .spot, receivedAt: receivedAt)
        switch query.kind {
        case .candles(let interval, let since, let until):
            let rows = try KrakenREST.readRows(answer).rows
            var events: [StandardEvent] = []
            for (index, row) in rows.enumerated() where row.time >= since && row.time < until {
                guard var candle = row.candle(symbol, interval: Name(interval), context) else { continue }
                candle.isClosed = index + 1 < rows.count
                events.append(KrakenSession.event(of: candle, query.instrument))
            }
            return HistoryPage(events: events)
        case .trades(let limit):
            let trades = try KrakenREST.readTrades(answer).trades.suffix(max(0, limit))
            return HistoryPage(
                events: trades.map {
                    $0.event(symbol: symbol, venueSymbol: query.instrument.venueSymbol, context)
                })
        }
    }
}
