import Tidings

/// Best prices, 24 hour tickers and candles.
extension BinanceSession {
    @inline(__always)
    mutating func takeBookTicker(
        _ index: Int, _ update: UInt64, bid: ExactDecimal, bidSize: ExactDecimal, ask: ExactDecimal,
        askSize: ExactDecimal, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard let stream = self.markets[index].tickerStream else { return }
        output.hear(stream)
        // Two connections bring the same: the one that is behind has nothing new. On one alone only a repetition is old.
        let last = self.markets[index].lastBookTicker
        if update == last || (update < last && self.connections.count > 1) { return }
        self.markets[index].lastBookTicker = update
        output.events.append(
            self.markets[index].bookTicker(
                update, bid: bid, bidSize: bidSize, ask: ask, askSize: askSize, receivedAt: receivedAt))
    }

    /// The same, of a frame in any shape.
    mutating func takeBookTicker(
        _ index: Int, _ fields: BinanceFields, at receivedAt: Timestamp, into output: inout VenueOutput
    ) -> String? {
        guard let update = fields.lastUpdate, let bid = fields.bids?.price, let bidSize = fields.bidSize,
            let ask = fields.asks?.price, let askSize = fields.askSize
        else { return "a bookTicker without number, prices or sizes" }
        self.takeBookTicker(
            index, update, bid: bid, bidSize: bidSize, ask: ask, askSize: askSize, at: receivedAt, into: &output)
        return nil
    }

    mutating func takeTicker(
        _ index: Int, _ fields: BinanceFields, at receivedAt: Timestamp, into output: inout VenueOutput
    ) -> String? {
        guard let stream = self.markets[index].tickerStream else { return nil }
        output.hear(stream)
        guard let timestamp = fields.eventTime, let price = fields.close else {
            return "a 24hrTicker without time or price"
        }
        guard self.isNews(timestamp, after: self.markets[index].lastTicker) else { return nil }
        self.markets[index].lastTicker = timestamp.nanoseconds
        output.events.append(
            self.markets[index].ticker(fields, price: price, at: timestamp, receivedAt: receivedAt))
        return nil
    }

    mutating func takeCandle(
        _ index: Int, _ fields: BinanceFields, at receivedAt: Timestamp, into output: inout VenueOutput
    ) -> String? {
        guard let stream = self.markets[index].candleStream else { return nil }
        output.hear(stream)
        guard let candle = fields.candle, let start = candle.start, let interval = candle.interval,
            let open = candle.open, let high = candle.high, let low = candle.low, let close = candle.close,
            let volume = candle.volume, let isClosed = candle.isClosed, let eventTime = fields.eventTime
        else { return "a kline without times, prices or volume" }
        // Another server may send every interval; a name for it is only made when it is the wanted one.
        guard interval.decoded() == self.plan.candleInterval else { return nil }
        guard self.isNews(eventTime, after: self.markets[index].lastCandle) else { return nil }
        self.markets[index].lastCandle = eventTime.nanoseconds
        let market = self.markets[index]
        output.events.append(
            Candle(
                symbol: market.symbol, interval: Name(self.plan.candleInterval), open: open, high: high, low: low,
                close: close, volume: volume, trades: candle.trades, isClosed: isClosed, timestamp: start,
                context: market.context(receivedAt)
            ).binanceEvent(market.candleHash))
        return nil
    }

    /// Whether a frame says what the other connection has not said yet.
    private func isNews(_ timestamp: Timestamp, after last: Int64) -> Bool {
        self.connections.count < 2 || timestamp.nanoseconds > last
    }
}
